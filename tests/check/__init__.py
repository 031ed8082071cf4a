"""Tests of pykeyinit-helper check, enable and disable."""
