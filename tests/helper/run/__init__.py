"""Tests of run and adopt, and the API."""
