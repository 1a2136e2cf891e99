"""How a new Kafka user is shown: once, as the lines that Kafka's own tools and most clients take."""

from __future__ import annotations

from hub.cli import output
from hub.untyped import JsonObject


def show(user: JsonObject, as_json: bool) -> None:
    if as_json:
        output.print_json(user)
        return
    login = f'username="{user["name"]}" password="{user["password"]}"'
    print(f"Kafka user {user['name']}, its password shown only now; for {', '.join(user['topics'])}:\n")
    print(f"bootstrap.servers={user['bootstrap']}")
    print("security.protocol=SASL_PLAINTEXT")
    print("sasl.mechanism=SCRAM-SHA-512")
    print(f"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required {login};")
