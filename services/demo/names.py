"""Invented people: names by language, for customers whose input has none and for agents."""

import random
from typing import Final

GIVEN: Final = {
    "en": ("Amelia", "Darnell", "Priya", "Owen", "Sian", "Marcus", "Keira", "Tunde", "Ruth", "Callum"),
    "it": ("Chiara", "Matteo", "Ilaria", "Davide", "Rosa", "Nicolò", "Teresa", "Bruno", "Elisa", "Pietro"),
    "ro": ("Ioana", "Radu", "Mădălina", "Vlad", "Anca", "Sorin", "Corina", "Mihnea", "Ileana", "Dragoș"),
    "ar": ("ليلى", "سامر", "هدى", "طارق", "نور", "ياسين", "ريم", "عمر", "سلمى", "كريم"),
    "fr": ("Élodie", "Bastien", "Aïcha", "Rémi", "Solène", "Yann", "Capucine", "Mamadou", "Odile", "Théo"),
    "pt": ("Beatriz", "Caio", "Inês", "Rui", "Larissa", "Tomás", "Joana", "Everton", "Matilde", "Davi"),
    "es": ("Lucía", "Iker", "Ximena", "Rubén", "Noelia", "Mateo", "Pilar", "Joaquín", "Abril", "Fermín"),
    "de": ("Annika", "Lukas", "Hedwig", "Cem", "Saskia", "Beat", "Leonie", "Ferdinand", "Mirjam", "Jonas"),
}
FAMILY: Final = {
    "en": ("Hartley", "Boateng", "Fenwick", "Sandhu", "Pryce", "Lomax", "Adeyemi", "Whelan"),
    "it": ("Marchetti", "Ferraro", "Lodigiani", "Piras", "Bellomo", "Zanin", "Scotti", "Cusumano"),
    "ro": ("Stănescu", "Moraru", "Lupaș", "Dobrin", "Cazacu", "Neagoe", "Pintea", "Rusu"),
    "ar": ("الحداد", "منصور", "العلي", "الشامي", "بن سالم", "النجار", "درويش", "الخطيب"),
    "fr": ("Lemoine", "Caron", "Diallo", "Perrault", "Vasseur", "Kerbrat", "Roussel", "Benali"),
    "pt": ("Teixeira", "Moura", "Figueira", "Bragança", "Peixoto", "Salgado", "Antunes", "Nóbrega"),
    "es": ("Quintana", "Arrieta", "Luján", "Cebrián", "Montoya", "Olmedo", "Saavedra", "Ibarra"),
    "de": ("Brandl", "Kessler", "Yıldız", "Huber", "Wegener", "Aeschbacher", "Thiele", "Lorenz"),
}


def customer_name(language: str, draw: random.Random) -> str:
    """A full name that fits the language, an English one for a language that is not among the eight."""
    spoken = language if language in GIVEN else "en"
    return f"{draw.choice(GIVEN[spoken])} {draw.choice(FAMILY[spoken])}"
