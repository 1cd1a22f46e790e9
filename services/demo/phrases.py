"""What the simulated agents say, in eight languages: a question, an answer, a last word. Own words, no promises."""

import random
from typing import Final

_ASK: Final = {
    "en": (
        "Thanks for writing. So that I look at the right thing: what is the number, and when did it start?",
        "I'm on it. Could you tell me a little more, and the order number if there is one?",
        "Sorry about that. Which of your orders is it, and what do you see right now?",
    ),
    "it": (
        "Grazie del messaggio. Per guardare la cosa giusta: qual è il numero, e da quando succede?",
        "Me ne occupo io. Mi dice qualcosa in più, e il numero d'ordine se c'è?",
        "Mi dispiace. Di quale ordine si tratta, e che cosa vede adesso?",
    ),
    "ro": (
        "Mulțumesc pentru mesaj. Ca să mă uit unde trebuie: care e numărul și de când se întâmplă?",
        "Mă ocup eu. Îmi spuneți câteva detalii și numărul comenzii, dacă există?",
        "Îmi pare rău. Despre ce comandă e vorba și ce vedeți acum?",
    ),
    "ar": (
        "شكراً على رسالتك. حتى أنظر في الأمر الصحيح: ما الرقم، ومتى بدأت المشكلة؟",
        "سأتابع الموضوع بنفسي. هل تخبرني بتفاصيل أكثر ورقم الطلب إن وُجد؟",
        "نأسف لذلك. أي طلب تقصد، وماذا ترى الآن؟",
    ),
    "fr": (
        "Merci de votre message. Pour regarder au bon endroit : quel est le numéro, et depuis quand ?",
        "Je m'en occupe. Pouvez-vous m'en dire un peu plus, avec le numéro de commande s'il existe ?",
        "Navré pour cela. De quelle commande s'agit-il, et que voyez-vous en ce moment ?",
    ),
    "pt": (
        "Obrigada pela mensagem. Para eu ver a coisa certa: qual é o número e desde quando acontece?",
        "Vou tratar disso. Pode contar um pouco mais, e o número do pedido se houver?",
        "Lamento o sucedido. De que pedido se trata, e o que aparece agora?",
    ),
    "es": (
        "Gracias por escribir. Para mirar lo correcto: ¿cuál es el número y desde cuándo pasa?",
        "Me encargo yo. ¿Me cuenta un poco más, y el número de pedido si lo hay?",
        "Lo siento mucho. ¿De qué pedido se trata y qué ve ahora mismo?",
    ),
    "de": (
        "Danke für Ihre Nachricht. Damit ich das Richtige ansehe: Wie lautet die Nummer, und seit wann ist das so?",
        "Ich kümmere mich darum. Sagen Sie mir noch etwas mehr, und die Bestellnummer, falls es eine gibt?",
        "Das tut mir leid. Um welche Bestellung geht es, und was sehen Sie gerade?",
    ),
}
_ANSWER: Final = {
    "en": (
        "I have looked it up and put it right on our side. You will see the change within the hour.",
        "Found it. I have passed it on with a note and it moves today; you need not do anything.",
        "It is clear to me now. I have changed it for you and written down what happened.",
    ),
    "it": (
        "Ho controllato e l'ho sistemato dalla nostra parte. Vedrà il cambiamento entro un'ora.",
        "Trovato. L'ho inoltrato con una nota e si muove oggi; Lei non deve fare nulla.",
        "Adesso mi è chiaro. L'ho corretto e ho annotato che cosa è successo.",
    ),
    "ro": (
        "Am verificat și am îndreptat la noi. Veți vedea schimbarea în cel mult o oră.",
        "Am găsit. Am dat mai departe cu o notă și se rezolvă azi; nu trebuie să faceți nimic.",
        "Acum îmi e clar. Am modificat și am notat ce s-a întâmplat.",
    ),
    "ar": (
        "راجعت الأمر وصححته من جهتنا. سترى التغيير خلال ساعة.",
        "وجدت السبب وحوّلته مع ملاحظة، وسيُنجز اليوم. لا يلزمك أن تفعل شيئاً.",
        "الأمر واضح لي الآن. عدّلته وسجّلت ما حدث.",
    ),
    "fr": (
        "J'ai vérifié et corrigé de notre côté. Vous verrez le changement d'ici une heure.",
        "C'est trouvé. J'ai transmis avec une note et cela avance aujourd'hui ; vous n'avez rien à faire.",
        "Tout est clair à présent. J'ai fait la modification et noté ce qui s'est passé.",
    ),
    "pt": (
        "Verifiquei e corrigi do nosso lado. Vai ver a mudança dentro de uma hora.",
        "Encontrei. Encaminhei com uma nota e anda ainda hoje; não precisa de fazer nada.",
        "Agora ficou claro. Fiz a alteração e anotei o que aconteceu.",
    ),
    "es": (
        "Lo he revisado y corregido por nuestra parte. Verá el cambio en menos de una hora.",
        "Encontrado. Lo he pasado con una nota y se mueve hoy; no tiene que hacer nada.",
        "Ahora lo tengo claro. Lo he cambiado y he apuntado lo que pasó.",
    ),
    "de": (
        "Ich habe nachgesehen und es bei uns berichtigt. Sie sehen die Änderung innerhalb einer Stunde.",
        "Gefunden. Ich habe es mit einem Vermerk weitergegeben, heute geht es voran; Sie müssen nichts tun.",
        "Jetzt ist es mir klar. Ich habe es geändert und aufgeschrieben, was geschehen ist.",
    ),
}
_HAND_OVER: Final = {
    "en": "My colleagues next door know this better. They see everything you wrote.",
    "it": "I colleghi qui accanto lo conoscono meglio. Vedono tutto ciò che ha scritto.",
    "ro": "Colegii de alături se pricep mai bine. Văd tot ce ați scris.",
    "ar": "زملائي في القسم المجاور أدرى بهذا، وهم يرون كل ما كتبته.",
    "fr": "Mes collègues d'à côté connaissent cela mieux. Ils voient tout ce que vous avez écrit.",
    "pt": "Os colegas do lado conhecem isto melhor. Eles veem tudo o que escreveu.",
    "es": "Mis compañeros de al lado lo conocen mejor. Ven todo lo que ha escrito.",
    "de": "Die Kollegen nebenan kennen sich damit besser aus. Sie sehen alles, was Sie geschrieben haben.",
}


def question(language: str, draw: random.Random) -> str:
    """The first reply, which asks once."""
    return draw.choice(_ASK.get(language, _ASK["en"]))


def answer(language: str, draw: random.Random) -> str:
    """A reply that says what was done."""
    return draw.choice(_ANSWER.get(language, _ANSWER["en"]))


def hand_over(language: str) -> str:
    """Said before a transfer."""
    return _HAND_OVER.get(language, _HAND_OVER["en"])
