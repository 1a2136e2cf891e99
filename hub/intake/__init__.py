"""The role `intake`: what agencies produced to topics of their own."""
