"""Language detectors from installed packages; between the operator's languages they decide as if there were no others."""

from collections.abc import Mapping, Sequence

from services.triage.domain.classification import Detector

_MOST_SCORES = 20  # the library gives no more


def best_detector(languages: Sequence[str]) -> tuple[str, Detector]:
    """The name and function of the best detector that can be imported: eldc, else py3langid.

    eldc keeps its restriction in the process: one set of languages a process.
    """
    try:
        return "eldc", eldc_detector(languages)
    except ImportError:
        return "py3langid", langid_detector(languages)


def eldc_detector(languages: Sequence[str]) -> Detector:
    """Compiled n-grams of 60 languages, several hundred thousand texts a second. Raises ImportError."""
    import eldc

    eldc.init()
    everything = eldc.instance()
    everything.set_scores(_MOST_SCORES)
    eldc.set_languages(list(languages))
    eldc.set_scores(_MOST_SCORES)

    def detect(text: str) -> Mapping[str, float]:
        bare = text.replace("\x00", " ")
        return {
            **dict(everything.detect_details(bare).scores),
            **dict(eldc.detect_details(bare).scores),
        }

    return detect


def langid_detector(languages: Sequence[str]) -> Detector:
    """Naive Bayes in numpy, about 40,000 texts a second, of the operator's languages only. Raises ImportError.

    It takes too many short texts for other languages to be asked which ones are not served.
    """
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(set(languages))

    def detect(text: str) -> Mapping[str, float]:
        if not any(character.isalpha() for character in text):
            return {}
        # The probabilities are already sharp; scaled so that the domain's sharpness leaves them about as they are.
        return {str(code): 0.5 * float(probability) for code, probability in identifier.rank(text)}

    return detect


def only_detector(languages: Sequence[str]) -> Detector:
    """eldc, forced to choose between these languages. Raises ImportError. As above, one set a process."""
    import eldc

    eldc.init()
    eldc.set_languages(list(languages))
    eldc.set_scores(_MOST_SCORES)
    return lambda text: dict(eldc.detect_details(text.replace("\x00", " ")).scores)


def open_detector() -> Detector:
    """eldc with all the languages it knows; without the package none is ever found."""
    try:
        import eldc
    except ImportError:
        return lambda _: {}
    eldc.init()
    everything = eldc.instance()
    everything.set_scores(_MOST_SCORES)
    return lambda text: dict(everything.detect_details(text.replace("\x00", " ")).scores)


def knows(language: str) -> bool:
    """Whether the detector was made for a language, by its code of two letters."""
    try:
        import eldc
    except ImportError:
        return False
    eldc.init()
    return language in eldc.LANGUAGES
