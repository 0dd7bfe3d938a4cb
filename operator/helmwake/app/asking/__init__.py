"""What is asked of the ledger: read, followed, waited for. It needs no operator, only rights."""
