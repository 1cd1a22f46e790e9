// Finding one's way: search, keys, contents on a phone, light and dark.

const THEMES = ["auto", "light", "dark"];

/** The button goes through auto, light and dark; the choice stays with the browser. */
export function keepTheme() {
  const button = document.getElementById("theme");
  const name = document.getElementById("theme-name");
  const set = (theme) => {
    document.documentElement.dataset.theme = theme;
    name.textContent = theme;
  };
  let stored = "auto";
  try {
    stored = localStorage.getItem("theme") ?? "auto";
  } catch {
    // A browser that keeps nothing shows what the system wants.
  }
  set(THEMES.includes(stored) ? stored : "auto");
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
    set(next);
    try {
      localStorage.setItem("theme", next);
    } catch {
      return;
    }
  });
}

/** Makes the page's articles searchable, and the contents walkable by keys. Call it once all is there. */
export function searchable(main, contents) {
  const articles = [...main.querySelectorAll("article")].map((article) => ({
    article,
    entry: contents.querySelector(`li[data-for="${CSS.escape(article.id)}"]`),
    words: article.textContent.toLowerCase(),
    title: article.querySelector("h3").textContent.toLowerCase(),
  }));
  const field = document.getElementById("words");
  const found = document.getElementById("found");
  let first = null;

  const search = () => {
    const wanted = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    let best = null;
    for (const one of articles) {
      const hit = wanted.every((word) => one.words.includes(word));
      one.article.hidden = !hit;
      if (one.entry) one.entry.hidden = !hit;
      count += hit;
      if (hit && (!best || (!matches(best, wanted) && matches(one, wanted)))) best = one;
    }
    first = wanted.length ? best : null;
    for (const box of [...main.querySelectorAll(".service"), ...contents.querySelectorAll(".group")]) {
      box.hidden = wanted.length > 0 && !box.querySelector("article:not([hidden]), li:not([hidden])");
    }
    document.getElementById("top").hidden = wanted.length > 0;
    found.textContent = wanted.length ? `${count} of ${articles.length}` : "";
  };

  field.addEventListener("input", search);
  document.getElementById("find").addEventListener("submit", (event) => {
    event.preventDefault();
    if (first) go(first.article);
  });
  document.addEventListener("keydown", (event) => keys(event, field, contents, search));
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a")) openContents(contents, false);
  });
  document.getElementById("menu").addEventListener("click", () => openContents(contents, !contents.classList.contains("open")));
  follow(articles);
}

const matches = (one, wanted) => wanted.every((word) => one.title.includes(word));

function go(article) {
  location.hash = article.id;
  article.querySelector("h3 a").focus();
}

function keys(event, field, contents, search) {
  const typing = event.target.closest?.("input, textarea");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    field.focus();
    field.select();
  } else if (event.key === "Escape") {
    openContents(contents, false);
    if (field.value) {
      field.value = "";
      search();
    }
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && contents.contains(event.target)) {
    const links = [...contents.querySelectorAll("a")].filter((link) => link.checkVisibility());
    const next = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    if (links[next]) {
      event.preventDefault();
      links[next].focus();
    }
  }
}

function openContents(contents, open) {
  contents.classList.toggle("open", open);
  document.getElementById("menu").setAttribute("aria-expanded", String(open));
}

/** Marks in the contents what is being read. */
function follow(articles) {
  const entries = new Map(articles.map((one) => [one.article, one.entry]));
  const visible = new Set();
  const watcher = new IntersectionObserver(
    (changes) => {
      for (const { target, isIntersecting } of changes) visible[isIntersecting ? "add" : "delete"](target);
      const here = articles.find((one) => visible.has(one.article))?.article;
      for (const [article, entry] of entries) {
        const link = entry?.querySelector("a");
        if (article === here) link?.setAttribute("aria-current", "true");
        else link?.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-80px 0px -60% 0px" },
  );
  for (const one of articles) watcher.observe(one.article);
}
