"""HTTP manners that gateway, console and connectors share: problem documents and the page of an API."""
