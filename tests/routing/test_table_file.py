"""The routing table's file: what ships is right, and each mistake is named with its line and key."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest

from colony.primitives.errors import UsageError
from colony.routing.hints import hints_in, resolved
from colony.routing.prices import Tokens, microdollars
from colony.routing.published_prices import PublishedPrices
from colony.routing.table import Learning, Price, is_loopback, runs_elsewhere
from colony.routing.table_file import KEYS, default_table, default_text, line_of, table_from
from colony.routing.tiers import Tier

NOVEMBER = 1_795_219_200_000  # 21 November 2026
SEEDS_HINTS = "cline.free groq.free anthropic.plan anthropic.code mistral.code copilot.code anthropic.opus openai.mini"


def test_what_ships():
    """Every hint that the seed names has a model; every tier has a row and, but for T0, an agent and a model."""
    table = default_table()
    for hint in [*SEEDS_HINTS.split(), "ollama.free"]:
        assert resolved(f"@{hint}", table.hints) in table.models
    for tier in (Tier.T1, Tier.T2, Tier.T3, Tier.T4):
        assert any(model.lowest <= tier <= model.highest for model in table.models.values())
    for tier in set(Tier) - {Tier.T0}:
        assert any(agent.takes(tier) for agent in table.agents.values())
    assert table.local_models
    assert all(table.providers[model.provider].name == "ollama" for model in table.local_models)


def test_what_ships_has_prices():
    """Every model of the shipped table is free by its own word, or has a published price today."""
    table, prices = default_table(), PublishedPrices(NOVEMBER)
    unknown = [m.name for m in table.models.values() if microdollars(m, table, prices, Tokens(1000, 100)) is None]
    assert not unknown


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("version = 1", "version = 2", "line 4: version: must be 1"),
        ("version = 1", "version = [", "broken TOML"),
        ("capacity = 4", "capacity = 0", "agents.ralph.capacity: must be at least 1"),
        ("capacity = 4", "capacity = true", "agents.ralph.capacity: must be of type int"),
        ('id = "qwen3:8b"', 'id = ""', "models.ollama-small.id: is empty"),
        ('id = "qwen3:8b"', "", "models.ollama-small.id: is missing"),
        ('id = "qwen3:8b"', 'id = "qwen3:cloud"', "runs on somebody else's machine"),
        ('id = "qwen3:8b"', 'id = "gpt-oss:120b-cloud"', "runs on somebody else's machine"),
        ('price = "free"\n', 'price = "cheap"\n', "models.ollama-small.price: must be"),
        ('price = "free"\n', "price = { input_per_million = -1, output_per_million = 1 }\n", "at least 0"),
        ('price = "free"\n', "price = { input_per_million = 1 }\n", "output_per_million: must be a number"),
        ('tiers = ["T1", "T1"]', 'tiers = ["T1", "T5"]', "must be the first and the last tier of T1, T2, T3, T4"),
        ('tiers = ["T1", "T2"]', 'tiers = ["T2", "T1"]', "T2 comes after T1"),
        ('endpoint = "http://127.0.0.1:11434"', 'endpoint = "http://127.0.0.1.evil.org"', "is not this machine"),
        ('endpoint = "http://127.0.0.1:11434"', "", "providers.ollama.endpoint"),
        ('key = "ANTHROPIC_API_KEY"', 'key = "sk-ant-abc"', "never the secret itself"),
        ('"anthropic.opus" = "opus"', '"anthropic.opus" = "opux"', "\"anthropic.opus\": 'opux' is not defined"),
        ('"anthropic.opus" = "opus"', '"Opus" = "opus"', "must look like"),
        ("[tiers.T3]", "[tiers.T9]", "tiers.T9: no tier"),
        ('mode = "query"', 'mode = "guess"', "tiers.T0.mode: one of query, plan, code, secure"),
        ('[tiers.T0]\nmode = "query"', "", "T0 is missing"),
        ('blast_radius = "medium"', 'blast_radius = "huge"', "tiers.T2.blast_radius"),
        ("day_dollars = 10.0", "day_dollars = inf", "limits.day_dollars: must be a number"),
        ("day_dollars = 10.0", "day_dolars = 10.0", "limits.day_dolars: unknown key"),
        ("prior_mass = 4.0", "prior_mass = 0", "learning.prior_mass: must be above 0"),
        ("explore = true", 'explore = "yes"', "learning.explore: must be of type bool"),
        ("[agents.ralph]", "[agents.solvers]", "is the name of those who need no model"),
        ("[agents.ralph]", '[agents."Ralph R"]', "a name has lower case letters"),
        ("solvers = [", "solver = [", "solver: unknown key"),
    ],
)
def test_mistakes(old, new, complaint):
    """Each mistake names the file, and the line where it stands."""
    text = default_text()
    assert old in text
    with pytest.raises(UsageError) as found:
        table_from(text.replace(old, new, 1))
    assert complaint in str(found.value)
    assert "routing.toml, line" in str(found.value) or "broken TOML" in complaint


def test_the_line_at_fault():
    """The line is that of the key, in a table of its own, dotted, quoted or within another."""
    text = '# a comment\n[models.a]\nid = "x"\n\n[hints]\n"p.q" = "a"\n[models.b]\nprice = { input_per_million = 1 }\n'
    assert line_of(text, ("models", "a", "id")) == 3
    assert line_of(text, ("hints", "p.q")) == 6
    assert line_of(text, ("models", "b", "price", "output_per_million")) == 8
    assert line_of(text, ("models", "b", "provider")) == 7
    assert line_of(text, ("nothing",)) == 1


def test_what_a_user_adds():
    """A user's provider, model with its own price, and hint are as good as the shipped ones."""
    text = default_text().replace("[hints]", '[hints]\n"lab.big" = "lab-big"', 1)
    text += (
        '\n[providers.lab]\nkey = "LAB_KEY"\n[models.lab-big]\nprovider = "lab"\nid = "big-1"\ntiers = ["T3", "T4"]\n'
    )
    text += "price = { input_per_million = 2, output_per_million = 8.5 }\n"
    table = table_from(text)
    assert table.models[resolved("@lab.big", table.hints)].price == Price(2.0, 8.5)


def test_hints_in_text():
    """Hints are found where a task's text has them, and nothing that only looks like one is."""
    known = ["anthropic.plan", "groq.free"]
    text = (
        "Use @Anthropic.plan, else @groq.free. Not a@groq.free, @ralph, @pytest.fixture or @groq.free/x; @groq.fre too"
    )
    assert hints_in(text, known) == ("anthropic.plan", "groq.free", "groq.fre")


def test_an_unknown_hint_lists_the_known():
    """A hint that the table does not have is an error with those that it has."""
    with pytest.raises(UsageError, match=r"@groq\.fre: unknown hint; known are: @a\.b, @groq\.free"):
        resolved("groq.fre", {"groq.free": "x", "a.b": "y"})


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:11434",
        "https://localhost",
        "http://[::1]:8080/v1/",
        "unix:/run/ollama.sock",
        "http://127.9.8.7",
    ],
)
def test_this_machine(endpoint):
    """Loopback by number, as localhost, and Unix sockets are this machine."""
    assert is_loopback(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1.evil.org",
        "http://localhost.evil.org",
        "http://evil.org#127.0.0.1",
        "http://127.0.0.1@evil.org",
        "http://127.0.0.1:80@evil.org/",
        "http://127.0.0.1\\@evil.org",
        "http://evil.org/127.0.0.1",
        "http://127.1",
        "http://2130706433",
        "http://0x7f000001",
        "http://0.0.0.0:1",
        "http://192.168.0.4:11434",
        "http://[::ffff:127.0.0.1]",
        "http://127.0.0.256",
        "http://127.0.0.1:11434/?to=http://evil.org",
        "http://127.0.0.1\n.evil.org",
        "http://localhost.",
        "//127.0.0.1",
        "ftp://127.0.0.1",
        "unix://host/run/x.sock@evil.org",
        "",
    ],
)
def test_not_this_machine(endpoint):
    """Whatever only looks like this machine, or would have to be resolved first, is not."""
    assert not is_loopback(endpoint)


def test_models_that_a_local_server_sends_on():
    """Names by which a local server asks another machine are known."""
    assert runs_elsewhere("gpt-oss:120b-cloud")
    assert runs_elsewhere("qwen3:Cloud")
    assert not runs_elsewhere("cloud-native:7b")


def test_prices_that_nobody_knows():
    """The list's nought for a model without a stated price is unknown, and so is what it does not have at all."""
    prices = PublishedPrices(NOVEMBER)
    tokens = Tokens(1_000, 1_000)
    assert prices.dollars("anthropic", "claude-haiku-4-5", tokens) == pytest.approx(0.006)
    assert prices.dollars("openrouter", "qwen/qwen3-coder:free", tokens) is None
    assert prices.dollars("github-copilot", "gpt-4.1", tokens) is None
    assert prices.dollars("nobody", "claude-haiku-4-5", tokens) is None
    assert prices.dollars("anthropic", "no-such-model", tokens) is None


def test_every_key_is_documented():
    """Every key that the reader takes stands on the page of the reference, with the defaults that the code has."""
    page = (Path(__file__).parents[2] / "docs" / "reference" / "routing-toml.md").read_text("utf-8")
    keys = {key for section in KEYS.values() for key in section}
    assert not [key for key in keys if f"`{key}`" not in page and f"{key} =" not in page]
    for key, value in asdict(Learning()).items():
        shown = str(value).lower() if isinstance(value, bool) else f"{value:g}"
        assert re.search(rf"\| `{key}` \|.*\| `?{re.escape(shown)}(\.0)?`? \|", page), key
