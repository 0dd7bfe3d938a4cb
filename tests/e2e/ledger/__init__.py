"""Homes of operators that keep a ledger of their own, beside all others in one cluster."""
