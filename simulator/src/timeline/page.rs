//! The page: its parts put together around the data.

use super::Recording;

const PAGE: &str = include_str!("page.html");
const PARTS: [(&str, &str); 4] = [
    ("/* style */", include_str!("page.css")),
    ("/* model */", include_str!("model.js")),
    ("/* lanes */", include_str!("lanes.js")),
    ("/* view */", include_str!("view.js")),
];

/// One HTML page that shows a recording and asks for nothing from anywhere else.
#[must_use]
pub fn page(recording: &Recording) -> String {
    let page =
        PARTS.into_iter().fold(PAGE.to_owned(), |page, (place, part)| page.replace(place, part));
    // The page is cut before anything of the recording is put in: nothing in it is taken for a place.
    let (before, after) = page.split_once("/* data */").unwrap_or((&page, ""));
    let before = before.replace("<!-- title -->", &html(&recording.about));
    let data = serde_json::to_string(recording).unwrap_or_default();
    [before.as_str(), &json_in_html(&data), after].concat()
}

fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The same JSON without what could end the element that it stands in; all three occur only in its
/// texts.
fn json_in_html(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}
