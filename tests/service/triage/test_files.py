"""The files of triage: taxonomy, lexicons, model, own set; and that the recipe repeats itself."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from services.triage.adapters.knowledge import HERE, TAXONOMY, Sources, load_knowledge
from services.triage.adapters.label_file import CARD as TOPICS_CARD
from services.triage.adapters.language_detectors import eldc_detector, langid_detector
from services.triage.adapters.lexicon_files import LexiconFileError, load_lexicons
from services.triage.adapters.model_file import ARRAYS, CARD, SELF_SERVICE, ModelFileError, load_model
from services.triage.adapters.overtones_file import OVERTONES, load_overtones
from services.triage.adapters.taxonomy_file import TaxonomyError, load_taxonomy
from services.triage.adapters.training.dataset import FOLDS, fold_of, load_examples, load_people
from services.triage.adapters.training.making import make_model
from services.triage.adapters.training.noise import noise_texts
from services.triage.domain.classification import Query, classify, classify_many
from services.triage.domain.measures import auroc
from services.triage.domain.model import BINARY


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("{key: order, label: Order,", "{key: refund, label: Order,", "twice"),
        ("topic: 0.40", "topic: 1.40", "1.4"),
        ("topic: 0.40", "tropic: 0.40", "unknown field 'tropic'"),
        ("when: {kind: spam}", "when: {kind: rubbish}", "'rubbish' is none of"),
        ("when: {topic: product}", "when: {topic: products}", "'products' is none of"),
        (
            'anger: ">= 0.6"}\n    then: {priority: 2',
            'anger: "= 0.6"}\n    then: {priority: 2',
            "no comparison",
        ),
        ("{priority: -2, tags: [spam]}", "{priority: -3, tags: [spam]}", "-3"),
        ("languages: [en,", "languages: [english,", "'english' is not a language"),
        ("  - name: urgent\n", "  - name: angry\n", "stands twice"),
        ("rules:", "rules: [", "expected"),
    ],
)
def test_a_mistake_in_the_taxonomy_is_told_with_file_line_and_reason(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    text = TAXONOMY.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "taxonomy.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(TaxonomyError) as told:
        load_taxonomy(path)
    where, number, why = str(told.value).split(":", 2)
    assert where == str(path)
    changed = text[: text.index(old)].count("\n") + 1
    assert changed <= int(number) <= changed + 3
    assert reason in why


def test_the_version_of_a_taxonomy_is_its_content(tmp_path: Path) -> None:
    path = tmp_path / "taxonomy.yaml"
    path.write_bytes(TAXONOMY.read_bytes())
    assert load_taxonomy(path).version == load_taxonomy(TAXONOMY).version
    path.write_bytes(TAXONOMY.read_bytes() + b"\n# changed\n")
    assert load_taxonomy(path).version != load_taxonomy(TAXONOMY).version


@pytest.mark.parametrize("content", ["[a]", "late: word", "late: [404]", "late: [a*]", "late: [x", "\ufffe"])
def test_a_mistake_in_a_lexicon_is_told_with_its_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "en.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(LexiconFileError, match=r"en\.yaml|en: late"):
        load_lexicons(tmp_path, ["en"])


def test_all_lexicons_have_the_same_columns() -> None:
    lexicons = load_lexicons(HERE / "lexicon", load_taxonomy(TAXONOMY).languages)
    columns = {
        language: {c for table in (one.words, one.stems) for found in table.values() for c in found}
        | {column for phrases in one.phrases.values() for _, column in phrases}
        for language, one in lexicons.items()
    }
    assert len(columns) == 8
    assert all(found == columns["en"] for found in columns.values())


def test_the_committed_model_belongs_to_the_own_set_the_lexicons_and_the_taxonomy() -> None:
    card = json.loads((HERE / "models" / CARD).read_text(encoding="utf-8"))
    taxonomy = load_taxonomy(TAXONOMY)
    examples = load_examples(HERE / "data", taxonomy.languages)
    people = load_people(HERE / "data", taxonomy.languages)
    assert card["texts"] == len(people) + sum(not example.check for example in examples), "run `make models`"
    assert not {one.text for one in people} & {one.text for one in examples}
    assert set(card["heads"]["topic"]) == set(taxonomy.keys)
    assert (HERE / "models" / ARRAYS).stat().st_size < 4_000_000
    topics = json.loads((HERE / "models" / TOPICS_CARD).read_text(encoding="utf-8"))
    asked = sum(example.kind == "request" and not example.check for example in examples)
    assert topics["texts"] == asked, "run `make models`"
    assert set(topics["labels"]) == set(taxonomy.keys)
    assert set(topics["languages"]) == set(taxonomy.languages)
    overtones = load_overtones(HERE / "models")
    assert set(overtones.heads) == set(BINARY) - {"person"}
    assert overtones.wish is not None
    assert sum(path.stat().st_size for path in (HERE / "models").iterdir()) < 15_000_000


def test_the_committed_self_service_head_belongs_to_its_labels() -> None:
    """Trained on the labels that stand in the own set, and better than chance in every language on texts it never saw."""
    rows = [
        (json.loads(line), path.stem)
        for path in sorted((HERE / "data" / "messages").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    labelled = [(row, language) for row, language in rows if SELF_SERVICE in row]
    card = json.loads((HERE / "models" / f"{SELF_SERVICE}.json").read_text(encoding="utf-8"))
    assert card["texts"] == sum(fold_of(row["text"]) != 0 for row, _ in labelled), "run `make models`"
    check = [(row, language) for row, language in labelled if fold_of(row["text"]) == 0]
    found = classify_many([Query(row["text"]) for row, _ in check], load_knowledge(Sources.default()))
    for tongue in {language for _, language in check}:
        pairs = [
            (signals.self_service, row[SELF_SERVICE])
            for signals, (row, language) in zip(found, check, strict=True)
            if language == tongue
        ]
        assert auroc(np.array([score for score, _ in pairs]), np.array([yes for _, yes in pairs])) > 0.75


def test_a_person_is_wished_for_in_every_language_and_not_when_people_are_only_spoken_of() -> None:
    knowledge = load_knowledge(Sources.default())
    wishes = [
        "Hello, my parcel is late again. I'd like to speak with someone at your depot, please.",
        "Il frigo non raffredda. Mi passate un operatore per favore?",
        "Coletul nu vine. Vreau să vorbesc cu un operator.",
        "الثلاجة لا تبرد. أريد التحدث مع موظف من فضلكم",
        "Mon frigo est en panne. Je voudrais parler à un conseiller.",
        "A geladeira parou. Quero falar com um atendente, por favor.",
        "La nevera no enfría. Quiero hablar con un agente, por favor.",
        "Der Kühlschrank kühlt nicht. Ich möchte mit einem Mitarbeiter sprechen.",
    ]
    others = [
        "Your courier left the fridge with my neighbour, thanks!",
        "Il vostro corriere ha lasciato il frigo al vicino, grazie!",
        "Curierul a lăsat frigiderul la vecin, mulțumesc!",
        "المندوب ترك الثلاجة عند جاري، شكرا",
        "Votre livreur a laissé le frigo chez le voisin, merci !",
        "O entregador deixou a geladeira com o vizinho, obrigado!",
        "El repartidor dejó la nevera con el vecino, ¡gracias!",
        "Der Bote hat den Kühlschrank beim Nachbarn abgegeben, danke!",
    ]
    found = classify_many([Query(text) for text in wishes + others], knowledge)
    chances = [signals.wish_for_person for signals in found]
    assert min(chances[:8]) > 0.5
    assert max(chances[8:]) < 0.1
    assert all(any(r.signal == "wish_for_person" for r in signals.reasons) for signals in found[:8])


@pytest.mark.parametrize("damage", ["missing", "cut", "other card"])
def test_a_damaged_model_is_told_and_how_to_make_one(tmp_path: Path, damage: str) -> None:
    for name in (ARRAYS, CARD):
        (tmp_path / name).write_bytes((HERE / "models" / name).read_bytes())
    if damage == "missing":
        (tmp_path / ARRAYS).unlink()
    elif damage == "cut":
        (tmp_path / ARRAYS).write_bytes((tmp_path / ARRAYS).read_bytes()[:1000])
    else:
        card = json.loads((tmp_path / CARD).read_text())
        (tmp_path / CARD).write_text(json.dumps({**card, "columns": card["columns"][1:]}))
    with pytest.raises(ModelFileError, match="make models"):
        load_model(tmp_path)


@pytest.mark.parametrize("content", [b"", b"PK", None], ids=["empty", "cut", "missing"])
def test_damaged_overtones_are_told_and_how_to_make_them(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / OVERTONES).write_bytes(content)
    with pytest.raises(ModelFileError, match="make models"):
        load_overtones(tmp_path)


def test_the_recipe_gives_the_same_bytes_again(tmp_path: Path) -> None:
    data = tmp_path / "data"
    for part, most in (("messages", 260), ("stories", 10)):
        (data / part).mkdir(parents=True)
        for language in ("it", "de"):
            lines = (HERE / "data" / part / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
            (data / part / f"{language}.jsonl").write_text("\n".join(lines[:most]), encoding="utf-8")
    taxonomy = dataclasses.replace(load_taxonomy(TAXONOMY), languages=("it", "de"))
    for name in ("one", "two"):
        make_model(data, HERE / "lexicon", taxonomy, tmp_path / name, lambda _: None)
    for name in (ARRAYS, CARD):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert load_model(tmp_path / "one").version == load_model(tmp_path / "two").version


def test_the_split_is_by_content_and_a_fifth() -> None:
    folds = [fold_of(f"text number {number}") for number in range(5_000)]
    assert set(folds) == set(range(FOLDS))
    assert 0.17 < folds.count(0) / len(folds) < 0.23
    assert fold_of("é") == fold_of("e\u0301")


def test_all_turns_of_a_story_are_on_one_side() -> None:
    taxonomy = load_taxonomy(TAXONOMY)
    examples = [e for e in load_examples(HERE / "data", taxonomy.languages) if e.source == "stories"]
    path = HERE / "data" / "stories" / "en.jsonl"
    for line in path.read_text(encoding="utf-8").splitlines()[:20]:
        texts = [turn["text"] for turn in json.loads(line)["turns"]]
        sides = {e.check for e in examples if e.language == "en" and e.text in texts}
        assert len(sides) == 1


def test_noise_is_below_the_threshold() -> None:
    knowledge = load_knowledge(Sources.default())
    threshold = knowledge.taxonomy.thresholds.topic
    below = [
        classify(Query(text), knowledge).topic.confidence < threshold for text in noise_texts(300, seed=5)
    ]
    assert sum(below) / len(below) >= 0.98


@pytest.mark.parametrize(
    "text",
    [
        "Ik heb mijn bestelling nog niet gekregen",
        "Kiedy dostanę zwrot pieniędzy za zamówienie",
        "Şifremi unuttum, hesabıma giremiyorum",
        "Jag kan inte logga in på mitt konto",
        "Chci vrátit zboží a dostat peníze zpět",
        "Не могу войти в аккаунт, пароль не подходит",
        "رمز عبورم را فراموش کرده‌ام و نمی‌توانم وارد شوم",
    ],
    ids=["nl", "pl", "tr", "sv", "cs", "ru", "fa"],
)
def test_a_language_that_is_not_served_is_below_the_threshold(text: str) -> None:
    knowledge = load_knowledge(Sources.default())
    signals = classify(Query(text), knowledge)
    assert signals.language.value == "und"
    assert signals.topic.confidence < knowledge.taxonomy.thresholds.topic


@pytest.mark.parametrize("make", [eldc_detector, langid_detector], ids=["eldc", "py3langid"])
def test_both_detectors_know_the_languages_and_take_any_text(make: object) -> None:
    detect = make(load_taxonomy(TAXONOMY).languages)  # type: ignore[operator]  # one of two functions
    texts = {
        "en": "where is the parcel that I ordered last week",
        "it": "vorrei sapere quando arriva il pacco che ho ordinato",
        "ro": "as vrea sa stiu cand ajunge coletul meu comandat",
        "fr": "je voudrais savoir quand arrive le colis que j'ai command\u00e9",
        "pt": "gostaria de saber quando chega a minha encomenda",
        "es": "quisiera saber cu\u00e1ndo llega el paquete que ped\u00ed",
        "de": "ich m\u00f6chte wissen, wann mein Paket endlich ankommt",
    }
    for language, text in texts.items():
        scores = detect(text)
        assert max(scores, key=lambda code: scores[code]) == language
    for odd in ("", "\x00", "123", "🙂", "नमस्ते"):
        assert all(0.0 <= score <= 1.0 for score in detect(odd).values())
