"""What an unprivileged user may try, each with a control that shows that it works undefended."""
