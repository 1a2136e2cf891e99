"""The role `deliver:<subscriber>`: everything that one subscriber is due, in order per dossier."""
