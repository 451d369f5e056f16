//! What mends a broken authority, for people: who does what, with the documents to paste.

use crossvault_core::authorization::Mend;

/// One numbered paragraph a mend.
pub fn text(mends: &[Mend]) -> String {
    let paragraph = |(n, mend): (usize, &Mend)| {
        let mut text = format!("{}. {}: {}", n.saturating_add(1), mend.who(), mend.deed());
        for document in mend.documents() {
            text.push('\n');
            text.push_str(document.trim_end());
        }
        text
    };
    mends.iter().enumerate().map(paragraph).collect::<Vec<_>>().join("\n\n")
}
