#!/usr/bin/python3 -I
"""greeter.py: replaces the greeter of lightdm: one name, one password.

It reads the name from /run/vm/greet, once: when the session ends lightdm starts it again, and
no further login comes.
"""

import sys
from pathlib import Path

import gi

gi.require_version("LightDM", "1")
from gi.repository import GLib, LightDM

ANNOUNCED = Path("/run/vm/greet")


def answer(greeter: LightDM.Greeter, _text: str, _kind: object) -> None:
    """Send the password."""
    greeter.respond("secret")


def enter(greeter: LightDM.Greeter) -> None:
    """Start the session of the authenticated user."""
    if not greeter.get_is_authenticated():
        sys.exit("not let in")
    greeter.start_session_sync("vm")


greeter = LightDM.Greeter()
greeter.connect("show-prompt", answer)
greeter.connect("authentication-complete", enter)
greeter.connect_to_daemon_sync()
if ANNOUNCED.exists():
    name = ANNOUNCED.read_text()
    ANNOUNCED.unlink()
    greeter.authenticate(name)
GLib.MainLoop().run()
