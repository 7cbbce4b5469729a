//! Pages of HTML that are one file: nothing is loaded from elsewhere, nothing runs, and what is written on them can be
//! read on a screen, a telephone and paper.
//!
//! What a store holds is foreign: names go through [`name`], which shows what could reorder text, and all texts through
//! the templates, which escape them.

mod file;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use file::{Output, deliver, outside};

use crate::model::date::moment;
use crate::model::{Shown, day};

/// The looks of all pages.
const STYLE: &str = include_str!("style.css");

/// What a browser may do with a page: apply the style that stands in it, and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Returns a whole page. `title` is what the browser's window is called; `body` holds a header, a `main` and a footer.
pub fn page(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta name="robots" content="noindex, nofollow";
                // Telephones make links of what looks like a number.
                meta name="format-detection" content="telephone=no, date=no, address=no, email=no";
                title { (Shown::new(title)) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    text
}

/// Returns a foreign name: what could reorder text is shown, and its own direction ends with it.
pub fn name(text: &(impl AsRef<[u8]> + ?Sized)) -> Markup {
    html! { bdi { (Shown::new(text)) } }
}

/// Returns a foreign path, which may be broken behind each folder.
pub fn path(text: &(impl AsRef<[u8]> + ?Sized)) -> Markup {
    let shown = Shown::new(text).to_string();
    html! { bdi { @for part in shown.split_inclusive('/') { (part) wbr; } } }
}

/// Returns the day of a second since 1970.
pub fn date(second: i64) -> Markup {
    html! { time datetime=(moment(second)) { (day(second)) } }
}

/// Returns a second since 1970, to the minute.
pub fn minute(second: i64) -> Markup {
    let stamp = moment(second);
    html! { time datetime=(stamp) { (day(second)) " " (stamp[11..16]) " UTC" } }
}

/// Returns numbers with what they count, side by side; those that somebody should look at stand out.
pub fn figures(figures: &[(usize, &str, bool)]) -> Markup {
    html! {
        dl.figures {
            @for (count, what, stands_out) in figures {
                div.care[*stands_out] { dt { (what) } dd { (count) } }
            }
        }
    }
}

/// Returns what may be wider than the page: it moves within itself.
pub fn wide(label: &str, content: &Markup) -> Markup {
    html! { div.wide role="region" tabindex="0" aria-label=(label) { (content) } }
}

/// Returns a section with its heading.
pub fn section(id: &str, heading: &str, content: &Markup) -> Markup {
    html! {
        section aria-labelledby=(id) {
            h2 id=(id) { (heading) }
            (content)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_loads_and_runs_nothing() {
        let text = page("a</title><script>", &html! { main { p { (name("<script>\u{202e}\"onload=")) } } });
        for never in ["<script", "http:", "https:", "url(", "@import", "src=", "\u{202e}"] {
            assert!(!text.contains(never), "{never} in {text}");
        }
        assert!(text.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{text}");
        assert!(text.contains("<bdi>&lt;script&gt;\\u{202e}&quot;onload=</bdi>"), "{text}");
        assert!(text.contains("default-src 'none'"), "{text}");
    }

    #[test]
    fn moments_are_for_people_and_for_programs() {
        assert_eq!(
            date(951_782_461).into_string(),
            "<time datetime=\"2000-02-29T00:01:01Z\">2000-02-29</time>"
        );
        assert!(minute(951_782_461).into_string().ends_with(">2000-02-29 00:01 UTC</time>"));
    }
}
