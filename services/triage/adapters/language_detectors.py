"""Language detectors from installed packages, restricted to the operator's languages."""

from collections.abc import Mapping, Sequence

from services.triage.domain.classification import Detector


def best_detector(languages: Sequence[str]) -> tuple[str, Detector]:
    """The name and function of the best detector that can be imported: eldc, else py3langid.

    eldc keeps its restriction in the process: one set of languages a process.
    """
    try:
        return "eldc", eldc_detector(languages)
    except ImportError:
        return "py3langid", langid_detector(languages)


def eldc_detector(languages: Sequence[str]) -> Detector:
    """Compiled n-grams, about a million texts a second. Raises ImportError."""
    import eldc

    eldc.init()
    eldc.set_languages(list(languages))
    eldc.set_scores(20)

    def detect(text: str) -> Mapping[str, float]:
        return dict(eldc.detect_details(text.replace("\x00", " ")).scores)

    return detect


def langid_detector(languages: Sequence[str]) -> Detector:
    """Naive Bayes in numpy, about 40,000 texts a second. Raises ImportError."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(set(languages))

    def detect(text: str) -> Mapping[str, float]:
        if not any(character.isalpha() for character in text):
            return {}
        # The probabilities are already sharp; scaled so that the domain's sharpness leaves them about as they are.
        return {str(code): 0.5 * float(probability) for code, probability in identifier.rank(text)}

    return detect
