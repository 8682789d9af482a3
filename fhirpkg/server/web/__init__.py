"""The HTTP side: bytes and headers, formats, pages for a browser."""
