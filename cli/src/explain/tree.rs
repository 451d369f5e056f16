//! A tree in lines, which fits the terminal.

/// How a node is shown where there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    /// As the text around it.
    Plain,
    /// It is so.
    Green,
    /// It is not so.
    Red,
    /// It decides.
    Bold,
}

/// A node: a text, which may be wrapped between words, and what is below it.
#[derive(Clone, Debug)]
pub struct Node {
    text: String,
    color: Color,
    below: Vec<Node>,
}

impl Node {
    /// A node with nothing below it.
    pub fn new(color: Color, text: impl Into<String>) -> Self {
        Self { text: text.into(), color, below: Vec::new() }
    }

    /// The same node with those below it.
    pub fn with(self, below: impl IntoIterator<Item = Node>) -> Self {
        Self { below: below.into_iter().collect(), ..self }
    }

    /// The tree below a headline; `width` is the terminal's, none where lines stay whole.
    pub fn lines(&self, width: Option<u16>, has_colors: bool) -> String {
        let mut lines = Vec::new();
        let style = Style { width: width.map(usize::from), has_colors };
        self.draw(style, ["", ""], &mut lines);
        lines.join("\n")
    }

    fn draw(&self, style: Style, [first, rest]: [&str; 2], lines: &mut Vec<String>) {
        let hang = if self.below.is_empty() { "  " } else { "│ " };
        let room = style.width.map(|width| width.saturating_sub(first.chars().count()));
        for (number, line) in wrapped(&self.text, room).iter().enumerate() {
            let before = if number == 0 { first.to_owned() } else { format!("{rest}{hang}") };
            lines.push(format!("{before}{}", style.paint(self.color, line)));
        }
        let last = self.below.len().saturating_sub(1);
        for (number, node) in self.below.iter().enumerate() {
            let [branch, beside] =
                if number == last { ["└─ ", "   "] } else { ["├─ ", "│  "] };
            node.draw(style, [&format!("{rest}{branch}"), &format!("{rest}{beside}")], lines);
        }
    }
}

#[derive(Clone, Copy)]
struct Style {
    width: Option<usize>,
    has_colors: bool,
}

impl Style {
    fn paint(self, color: Color, text: &str) -> String {
        let code = match color {
            Color::Plain => return text.to_owned(),
            Color::Green => "32",
            Color::Red => "31",
            Color::Bold => "1",
        };
        if self.has_colors { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The text in lines of that length, the later ones two shorter; no word is broken.
fn wrapped(text: &str, room: Option<usize>) -> Vec<String> {
    let Some(room) = room else { return vec![text.to_owned()] };
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let hang = if lines.len() > 1 { 2 } else { 0 };
        let length = word.chars().count().saturating_add(1).saturating_add(hang);
        match lines.last_mut() {
            Some(line) if line.chars().count().saturating_add(length) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Node {
        let leaf = |text| Node::new(Color::Red, text);
        Node::new(Color::Bold, "a headline of words").with([
            Node::new(Color::Plain, "one").with([leaf("a leaf with a longer text"), leaf("two")]),
            leaf("three"),
        ])
    }

    #[test]
    fn lines_stay_whole_where_nobody_looks() {
        assert_eq!(
            tree().lines(None, false),
            "a headline of words\n├─ one\n│  ├─ a leaf with a longer text\n│  └─ two\n└─ three"
        );
    }

    #[test]
    fn a_narrow_tree_wraps_between_words() {
        let lines = tree().lines(Some(18), false);
        assert_eq!(
            lines,
            "a headline of\n│ words\n├─ one\n│  ├─ a leaf with\n│  │    a longer\n│  │    text\n\
             │  └─ two\n└─ three"
        );
        assert!(lines.lines().all(|line| line.chars().count() <= 18));
    }

    #[test]
    fn colors_stand_around_the_text_only() {
        let lines = tree().lines(None, true);
        assert!(lines.ends_with("└─ \u{1b}[31mthree\u{1b}[0m"), "{lines}");
    }
}
