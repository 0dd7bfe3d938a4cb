"""`python -m tests.live`: everything at once, for people to look at and to try helm on."""
