"""Where the bytes of files are kept, and how they get there and back."""
