"""Pure rules of triage: text to features, features to signals, signals to a decision by the operator's rules."""
