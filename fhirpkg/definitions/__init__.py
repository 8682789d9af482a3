"""What the loaded packages say: structures, value sets, types, snapshots."""
