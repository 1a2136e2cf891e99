"""What a connector implements (Source, Portal, Inbound) and what it may use: settings, calls over HTTP, links."""
