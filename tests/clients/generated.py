"""
Uses the client that openapi-python-client made of the document (test_generated_clients.py).

    python generated.py URL      with the key in CTXFY_KEY
"""

import json
import os
import sys

from prompts_client.api.executions import execute_commit_message
from prompts_client.api.prompts import list_prompts
from prompts_client.client import AuthenticatedClient
from prompts_client.models.commit_message_arguments import CommitMessageArguments
from prompts_client.models.commit_message_arguments_style import (
    CommitMessageArgumentsStyle,
)
from prompts_client.models.commit_message_body import CommitMessageBody


def main() -> None:
    """
    List the prompts, execute one rightly and once wrongly, and say what came.
    """
    client = AuthenticatedClient(base_url=sys.argv[1], token=os.environ["CTXFY_KEY"])
    page = list_prompts.sync(client=client)
    plain = CommitMessageArgumentsStyle.PLAIN
    good = CommitMessageArguments(diff="+x", style=plain, max_subject=50)
    bad = CommitMessageArguments(diff="+x", max_subject=20)
    done = execute_commit_message.sync(client=client, body=CommitMessageBody(arguments=good))
    refused = execute_commit_message.sync(client=client, body=CommitMessageBody(arguments=bad))
    said = {
        "names": [item.name for item in page.prompts],
        "result": done.result,
        "refused": [item.code for item in refused.errors],
    }
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
