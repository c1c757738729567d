"""Tables of plausible values from which the worlds are made; non-ASCII on purpose."""

PEOPLE: tuple[tuple[str, str], ...] = (
    ("Amélie", "Dubois"),
    ("Björn", "Åkesson"),
    ("Chloe", "O'Neill"),
    ("Dmitri", "Волков"),
    ("Eléonore", "de la Tour"),
    ("Farid", "Haddad"),
    ("Grace", "Kim-Park"),
    ("Hiro", "田中"),
    ("Inês", "Conceição"),
    ("Jürgen", "Weiß"),
    ("Karim", "بن علي"),
    ("Łucja", "Żółć"),
)

NOTES: tuple[str, ...] = (
    "Left a voicemail.",
    "Rappeler après 18 h – intéressé·e par l’offre « Pro »",
    'Said: "call back", then hung up\nsecond line\twith a tab',
    "顧客は来週の打ち合わせを希望",
    "Budget 5 000 € 👍🏽, décision en été",
    "مهتم بالعرض",
    "<b>not html</b> & not {{ jinja }}",
    "12e5",
    "null",
    "Gatekeeper; asked for e-mail \\ no number",
)

TRANSCRIPTS: tuple[str, ...] = (
    "Agent: Hello!\nCaller: Bonjour, c’est Élodie.\nAgent: How can I help?",
    "Hallo, hier ist die Müller GmbH … ja, genau.",
    "もしもし、田中です。",
)


def recording(host: str, call_id: str) -> str:
    """URL of a recording on the provider's own host."""
    return f"https://{host}/calls/{call_id}/recording"
