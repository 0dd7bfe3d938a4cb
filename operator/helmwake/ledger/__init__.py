"""The durable record: one ReleaseTrace for each operation, and how far the cluster was read."""
