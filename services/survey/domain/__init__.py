"""The rules of surveys: who is asked, when, and what an answer does. Values in, values out."""
