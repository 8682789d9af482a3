"""Rules on whole resources: Bundles, contained resources, measures."""
