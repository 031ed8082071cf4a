"""What the kernel and libc do for us: thin, typed, without decisions."""
