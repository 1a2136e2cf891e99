"""The part of the engine that knows Faust: app, transport, consumer thread. Nothing else imports Faust."""
