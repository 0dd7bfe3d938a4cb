"""The programs that are compared with ours. Each says KNOWN when it is there, and waits."""
