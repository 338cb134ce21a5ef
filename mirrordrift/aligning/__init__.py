"""Offline training with preference objectives side by side: what is asked, done and shown."""
