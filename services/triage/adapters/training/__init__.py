"""How the default model is made; needs scikit-learn, which serving does not."""
