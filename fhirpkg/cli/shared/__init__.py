"""What several verbs share: the connection to a server, progress, publishing and its output."""
