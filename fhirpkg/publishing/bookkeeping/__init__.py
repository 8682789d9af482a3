"""What a publisher keeps on the server itself, and how it is read and changed."""
