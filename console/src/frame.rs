//! What stands around every page.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use tradewind_domain::printable;

use crate::visitor::Visitor;

/// The pages there are, with their paths.
const PAGES: [(&str, &str); 9] = [
    ("/console", "Stuck"),
    ("/console/orders", "Orders"),
    ("/console/flow", "Flow"),
    ("/console/mesh", "Mesh"),
    ("/console/quarantine", "Quarantine"),
    ("/console/consumers", "Consumers"),
    ("/console/money", "Money"),
    ("/console/sales", "Sales"),
    ("/console/faults", "Faults"),
];

/// What a page shows.
pub(crate) struct View {
    /// What it is about.
    pub(crate) title: String,
    /// What stays as it was asked for: filters and forms.
    pub(crate) still: Markup,
    /// What is brought up to date.
    pub(crate) live: Markup,
}

/// A whole page, for whoever looks at it.
pub(crate) fn page(path: &str, visitor: &Visitor, notes: &[String], View { title, still, live }: &View) -> Markup {
    let is_here = |at: &str| path == at || (at != "/console" && path.starts_with(&format!("{at}/")));
    let body = html! {
        a.skip href="#main" { "Skip to what is shown" }
        header {
            a.name href="/console" { "Tradewind" }
            nav aria-label="Pages" {
                @for (at, name) in PAGES {
                    a href=(at) aria-current=[is_here(at).then_some("page")] { (name) }
                }
            }
            form.who method="post" action="/console/leave" {
                (mark(visitor))
                span { (visitor.name.expose()) }
                button { "Leave" }
            }
        }
        main #main tabindex="-1" {
            h1 { (title) }
            @for note in notes {
                p.note role="status" { (note) }
            }
            (still)
            div #live data-live { (live) }
        }
    };
    document(title, &body)
}

/// A page for whoever has not come in.
pub(crate) fn outside(title: &str, content: &Markup) -> Markup {
    document(title, &html! { main #main.outside { h1 { (title) } (content) } })
}

fn document(title: &str, body: &Markup) -> Markup {
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " - Tradewind" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/console/assets/console.css";
                script src="/console/assets/console.js" defer {}
            }
            body { (body) }
        }
    };
    plain(&whole)
}

/// What turns text round or cannot be seen stands nowhere but in what others wrote, and is shown as an escape.
pub(crate) fn plain(markup: &Markup) -> Markup {
    PreEscaped(markup.0.split('\n').map(printable).collect::<Vec<_>>().join("\n"))
}

/// What every form brings back, so that none of another site is taken.
pub(crate) fn mark(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name="mark" value=(visitor.mark); }
}
