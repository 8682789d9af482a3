"""CDS Hooks services made from PlanDefinitions, as pure functions; the routes are the server's."""
