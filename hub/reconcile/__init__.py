"""The role `reconcile`: what is due and has no receipt; and two catalogues compared."""
