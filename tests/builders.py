"""
Values for tests: each builder makes a whole one, and takes what a test is about.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from ctxfy.adapters.mcp_prompts.loader import FolderLoader
from ctxfy.adapters.mcp_prompts.template_engine import MiniJinjaEngine
from ctxfy.adapters.validation.schema_validator import SchemaValidator
from ctxfy.core.exceptions import CatalogError
from ctxfy.core.models.address_models import Network
from ctxfy.core.models.audit_models import AuditEvent
from ctxfy.core.models.auth_models import (
    ApiKeyDigest,
    ApiKeyInfo,
    KeyId,
    KeyStatus,
    Principal,
    Scope,
)
from ctxfy.core.models.prompt_models import (
    ArgumentType,
    Message,
    Partial,
    PromptArgument,
    PromptTemplate,
    Role,
    TextContent,
    Value,
)
from ctxfy.core.ports.prompt_ports import CatalogSnapshot


NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PROMPTS = Path(__file__).parent.parent / "prompts"

SAMPLE_ARGUMENTS = (
    PromptArgument(name="text"),
    PromptArgument(name="items", type=ArgumentType.LIST, items=ArgumentType.STRING),
    PromptArgument(name="facts", type=ArgumentType.OBJECT),
    PromptArgument(name="count", type=ArgumentType.INTEGER),
    PromptArgument(name="flag", type=ArgumentType.BOOLEAN),
)
SAMPLE_VALUES: Mapping[str, Value] = {
    "text": "abc",
    "items": ("a", "b"),
    "facts": MappingProxyType({"k": "v"}),
    "count": 3,
    "flag": True,
}


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_key_info(
    *,
    key_id: str = "0123456789ab",
    scope: Scope = Scope.READ,
    status: KeyStatus = KeyStatus.ACTIVE,
    expires_at: datetime | None = None,
    prompts: tuple[str, ...] = ("*",),
    networks: tuple[Network, ...] = (),
) -> ApiKeyInfo:
    """
    Make what is known of a key.
    """
    return ApiKeyInfo(
        key_id=KeyId(key_id),
        api_key=ApiKeyDigest("0" * 64),
        user_id="ada",
        created_at=NOW,
        scope=scope,
        status=status,
        expires_at=expires_at,
        prompts=prompts,
        networks=networks,
        name="laptop",
    )


def make_principal(
    scope: Scope = Scope.READ,
    prompts: tuple[str, ...] = ("*",),
    networks: tuple[Network, ...] = (),
) -> Principal:
    """
    Make a caller.
    """
    return Principal(
        key_id=KeyId("0123456789ab"),
        user_id="ada",
        scope=scope,
        prompts=prompts,
        networks=networks,
    )


def make_template(
    *texts: str,
    name: str = "greet",
    version: str = "1",
    scope: Scope = Scope.READ,
    arguments: tuple[PromptArgument, ...] = SAMPLE_ARGUMENTS,
    partials: Mapping[str, str] | None = None,
    limit: int = 1_000_000,
    digest: str = "",
) -> PromptTemplate:
    """
    Make a template with one message of the user per text.
    """
    return PromptTemplate(
        name=name,
        version=version,
        scope=scope,
        arguments=arguments,
        messages=tuple(
            Message(role=Role.USER, content=TextContent(text=text, line=10)) for text in texts
        ),
        partials=tuple(
            Partial(path=path, text=text) for path, text in sorted((partials or {}).items())
        ),
        max_output_bytes=limit,
        source=f"{name}.prompt.md",
        digest=digest,
    )


def texts_of(messages: tuple[Message, ...]) -> list[str]:
    """
    Take the texts out of messages that hold nothing else.
    """
    return [
        message.content.text for message in messages if isinstance(message.content, TextContent)
    ]


def render(
    text: str,
    values: Mapping[str, Value] | None = None,
    *,
    partials: Mapping[str, str] | None = None,
    limit: int = 1_000_000,
) -> str:
    """
    Compile and render one text over the sample values, some of them replaced.
    """
    template = make_template(text, partials=partials, limit=limit)
    compiled = MiniJinjaEngine().compile(template)
    return texts_of(compiled.render({**SAMPLE_VALUES, **(values or {})}))[0]


def load(root: Path) -> CatalogSnapshot:
    """
    Load a prompt folder.
    """
    loader = FolderLoader(
        root, engine=MiniJinjaEngine(), validator=SchemaValidator(), now=lambda: NOW
    )
    return loader.load()


def write_files(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """
    Write files below a folder, line breaks as given.
    """
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def problems_of(root: Path) -> list[str]:
    """
    Load a folder that cannot be served, and list what its author is told.
    """
    try:
        load(root)
    except CatalogError as error:
        return [str(problem) for problem in error.problems]
    return []


def told(at: datetime = NOON) -> AuditEvent:
    """
    Make an event to tell of a change.
    """
    return AuditEvent(action="tested", at=at)
