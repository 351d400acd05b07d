"""
`ctxfy openapi`: the document of a folder, without a server.
"""

import json

from openapi_spec_validator import OpenAPIV30SpecValidator

from tests.integration.app.cli_kit import Shell


def test_the_document_of_a_folder_is_printed(ctxfy: Shell) -> None:
    """
    Valid, with every prompt in it and the address a server would have; nothing is made on the disk.
    """
    before = {path.name for path in ctxfy.folder.iterdir()}
    said = ctxfy("openapi")
    document = said.json()
    assert (said.code, said.err) == (0, "")
    assert list(OpenAPIV30SpecValidator(document).iter_errors()) == []
    assert "/prompts/greet/execute" in document["paths"]
    assert "/prompts/secret-plan/execute" in document["paths"]
    assert document["servers"] == [{"url": "http://127.0.0.1:8000"}]
    assert {path.name for path in ctxfy.folder.iterdir()} == before


def test_the_document_is_written_to_a_file(ctxfy: Shell) -> None:
    """
    The settings give its title and its server; a folder with mistakes is refused.
    """
    ctxfy.set("CTXFY_DOCS__TITLE", "Our prompts")
    ctxfy.set("CTXFY_SERVER__PUBLIC_URL", "https://a.example/ctxfy")
    file = ctxfy.folder / "openapi.json"
    said = ctxfy("openapi", "--output", str(file))
    document = json.loads(file.read_text())
    assert (said.code, said.out) == (0, "")
    assert document["info"]["title"] == "Our prompts"
    assert document["servers"] == [{"url": "https://a.example/ctxfy"}]
    (ctxfy.prompts / "bad.prompt.md").write_text("---\nscope: boss\n---\nx\n")
    said = ctxfy("openapi")
    assert (said.code, said.out) == (1, "")
    assert "bad.prompt.md:2" in said.err
