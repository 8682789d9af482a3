"""What an author writes: the models of procedure.yaml and package.yaml."""
