"""One canonical slug per tool, and every other spelling that people, manifests and models use for it (CON-48).

Names are compared after turning them to snake_case, so ``getCurrentTime``, ``get-current-time`` and
``get_current_time`` are one name. A restriction on one spelling holds for all. Not a registry: a slug that resolves
here need not exist.
"""

import re

ALIASES = {
    "get_current_time": "current_time",
    "get_time": "current_time",
    "time": "current_time",
    "message_search": "search_messages",
    "list_members": "list_channel_members",
    "channel_members": "list_channel_members",
    "list_tools": "search_tools",
    "tool_search": "search_tools",
    "search_web": "web_search",
    "email_send": "send_email",
    "inbox_read": "read_inbox",
    "search_email": "search_mail",
    "email_search": "search_mail",
    "mail_search": "search_mail",
    "knowledge_retrieval": "search_knowledge",
    "knowledge_search": "search_knowledge",
    "knowledge_add": "add_knowledge",
    "document_generator": "generate_content",
    "content_generate": "generate_content",
    "event_create": "create_event",
    "list_events": "get_events",
    "free_time": "find_free_time",
    "task_create": "create_task",
    "task_list": "list_tasks",
    "task_update": "update_task",
    "summarize": "summarise",
    "data_query": "query_data",
    "chart_create": "create_chart",
    "table_export": "export_table",
}
"""snake_case spelling -> canonical slug. No canonical slug is itself a key (a test holds this)."""

FAMILIES = {
    "calendar_api": ("get_events", "create_event", "find_free_time"),
}
"""Names that stand for several tools: giving the name gives them all, blocking it blocks them all (TOOL-28)."""

SLUG = re.compile(r"[a-z0-9][a-z0-9_]{0,62}")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OTHER = re.compile(r"[^a-z0-9]+")


def snake(name: str) -> str:
    """``searchHTTPLogs`` is ``search_http_logs``; anything that is not a letter or digit becomes one underscore."""
    return _OTHER.sub("_", _HUMP.sub("_", name.strip()).lower()).strip("_")


def canonical(name: str) -> str:
    """The one slug for any spelling of a tool's name. Canonical names are unchanged; unknown ones become snake_case."""
    plain = snake(name)
    return ALIASES.get(plain, plain)


def expand(name: str) -> tuple[str, ...]:
    """The slugs a name in a list or restriction stands for: one, or a family's members."""
    slug = canonical(name)
    return FAMILIES.get(slug, (slug,))
