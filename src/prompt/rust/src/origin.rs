//! Tells control tokens that the template writes from those that stand in the caller's strings: the latter are put
//! between private code points before rendering, which are taken out afterwards.
use std::collections::HashSet;

use aho_corasick::{AhoCorasick, AhoCorasickKind, Anchored, Input, MatchKind, StartKind};

use crate::request::{CallerString, Request};

/// Renderings at most that look for strings whose marks disturb the template.
const MAX_TRIALS: usize = 16;

/// A part of the rendered text; in special ones control tokens count.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    pub begin: usize,
    pub end: usize,
    pub special: usize,
}

/// Bytes of all control tokens together; real vocabularies have some 20 KB.
const MAX_TOKEN_BYTES: usize = 4 << 20;
/// Bytes at the end of a string that may be the start of a token; real ones are shorter.
const MAX_OPEN_END: usize = 256;

/// The texts of a vocabulary's control tokens.
pub struct ControlTokens {
    sorted: Vec<String>,
    automaton: AhoCorasick,
}

impl ControlTokens {
    pub fn new(mut texts: Vec<String>) -> Result<ControlTokens, &'static str> {
        texts.retain(|text| !text.is_empty());
        texts.sort();
        texts.dedup();
        if texts.iter().map(String::len).sum::<usize>() > MAX_TOKEN_BYTES {
            return Err("over 4 MiB of control tokens");
        }
        let automaton = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::NoncontiguousNFA))
            .match_kind(MatchKind::LeftmostLongest)
            .start_kind(StartKind::Both)
            .build(&texts)
            .map_err(|_| "too many control tokens")?;
        Ok(ControlTokens { sorted: texts, automaton })
    }

    fn knows(&self, text: &str) -> bool {
        self.sorted.binary_search_by(|token| token.as_str().cmp(text)).is_ok()
    }

    /// Bytes of the longest token at the start of `text`.
    fn match_at(&self, text: &str) -> Option<usize> {
        self.automaton.find(Input::new(text).anchored(Anchored::Yes)).map(|found| found.end())
    }

    /// The tokens in `text`, leftmost longest.
    fn find_all(&self, text: &str) -> Vec<(usize, usize)> {
        self.automaton.find_iter(text).map(|found| (found.start(), found.end())).collect()
    }

    /// Where the longest end of `text` starts that some token starts with: what follows might complete it.
    fn open_end(&self, text: &str, from: usize) -> Option<usize> {
        let earliest = text.len().saturating_sub(MAX_OPEN_END).max(from);
        let begins_token = |end: &str| {
            let at = self.sorted.partition_point(|token| token.as_str() < end);
            self.sorted.get(at).is_some_and(|token| token.starts_with(end))
        };
        (earliest..text.len()).find(|&at| text.is_char_boundary(at) && begins_token(&text[at..]))
    }
}

/// Private code points that occur nowhere else.
struct Marks {
    begin: char,
    end: char,
    open_begin: char,
    open_end: char,
}

impl Marks {
    fn unused_in(texts: [&str; 2], strings: &[CallerString]) -> Option<Marks> {
        let is_private = |c: &char| ('\u{f0000}'..='\u{ffffd}').contains(c);
        let mut used: HashSet<char> = texts.iter().flat_map(|text| text.chars().filter(is_private)).collect();
        used.extend(strings.iter().flat_map(|string| string.text.chars().filter(is_private)));
        let mut free = ('\u{f0000}'..='\u{ffffd}').filter(|c| !used.contains(c));
        Some(Marks {
            begin: free.next()?,
            end: free.next()?,
            open_begin: free.next()?,
            open_end: free.next()?,
        })
    }
}

/// Renders with the caller's strings mapped; the text is cut already.
type Render<'a> = dyn Fn(&crate::request::Mark) -> Option<String> + 'a;

/// Cuts `text`, the request's rendering, into pieces. `source`: the template's.
pub fn pieces(
    control: &ControlTokens,
    request: &Request,
    source: &str,
    text: &str,
    render: &Render,
) -> Vec<Piece> {
    let strings = request.strings();
    let is_suspect =
        |s: &CallerString| !control.find_all(s.text).is_empty() || control.open_end(s.text, 0).is_some();
    let suspects: Vec<usize> = (0..strings.len()).filter(|&i| is_suspect(&strings[i])).collect();
    if suspects.is_empty() {
        return whole(text);
    }
    let Some(marks) = Marks::unused_in([source, text], &strings) else {
        return without_tokens_of(control, text, strings.iter());
    };
    // The marks must not change the text: a template may look at what stands in a string.
    let try_marking = |chosen: &HashSet<usize>| {
        let rendered = render(&|i, string| chosen.contains(&i).then(|| mark(control, &marks, string)))?;
        let (plain, pieces) = unmark(control, &marks, &rendered);
        (plain == text).then_some(pieces)
    };
    if let Some(pieces) = try_marking(&suspects.iter().copied().collect()) {
        return pieces;
    }
    let trials = suspects.iter().copied().take(MAX_TRIALS);
    let calm: HashSet<usize> = trials.filter(|&i| try_marking(&HashSet::from([i])).is_some()).collect();
    // An assistant's own words that the template takes apart (reasoning) count as the template's, all others as text.
    let watched =
        suspects.iter().filter(|i| !calm.contains(i)).map(|&i| &strings[i]).filter(|s| !s.from_assistant);
    match try_marking(&calm) {
        Some(pieces) => overlay(pieces, &without_tokens_of(control, text, watched)),
        None => without_tokens_of(control, text, strings.iter()),
    }
}

fn whole(text: &str) -> Vec<Piece> {
    vec![Piece { begin: 0, end: text.len(), special: 1 }]
}

fn mark(control: &ControlTokens, marks: &Marks, text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut done = 0;
    for (begin, end) in control.find_all(text) {
        out.push_str(&text[done..begin]);
        out.push(marks.begin);
        out.push_str(&text[begin..end]);
        out.push(marks.end);
        done = end;
    }
    match control.open_end(text, done) {
        Some(open) => {
            out.push_str(&text[done..open]);
            out.push(marks.open_begin);
            out.push_str(&text[open..]);
            out.push(marks.open_end);
        }
        None => out.push_str(&text[done..]),
    }
    out
}

/// Takes the marks out of `rendered`. A mark that lost its partner still keeps its two sides apart.
fn unmark(control: &ControlTokens, marks: &Marks, rendered: &str) -> (String, Vec<Piece>) {
    let mut plain = String::with_capacity(rendered.len());
    let mut cuts = Vec::new();
    let mut texts = Vec::new();
    let mut open_ends = Vec::new();
    let mut begin = None;
    let mut open_begin = None;
    for c in rendered.chars() {
        if c == marks.begin || c == marks.end {
            let token = begin.take().filter(|&at: &usize| c == marks.end && control.knows(&plain[at..]));
            match token {
                Some(at) => texts.push((at, plain.len())),
                None => cuts.push(plain.len()),
            }
            begin = (c == marks.begin).then_some(plain.len());
        } else if c == marks.open_begin {
            open_begin = Some(plain.len());
        } else if c == marks.open_end {
            open_ends.extend(open_begin.take().map(|at| (at, plain.len())));
        } else {
            plain.push(c);
        }
    }
    for (from, to) in open_ends {
        let starts = (from..to).filter(|&at| plain.is_char_boundary(at));
        texts.extend(starts.filter_map(|at| {
            let end = at + control.match_at(&plain[at..])?;
            (end > to).then_some((at, end))
        }));
    }
    texts.sort();
    let pieces = cut_into_pieces(plain.len(), cuts, texts);
    (plain, pieces)
}

/// Special pieces but for `texts`, which are sorted; `cuts` part special pieces.
fn cut_into_pieces(length: usize, cuts: Vec<usize>, texts: Vec<(usize, usize)>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut cuts = cuts.into_iter().peekable();
    let mut done = 0;
    let mut special_up_to = |pieces: &mut Vec<Piece>, mut from: usize, to: usize| {
        while let Some(cut) = cuts.next_if(|&cut| cut <= to) {
            if cut > from {
                pieces.push(Piece { begin: from, end: cut, special: 1 });
                from = cut;
            }
        }
        if to > from {
            pieces.push(Piece { begin: from, end: to, special: 1 });
        }
    };
    for (begin, end) in texts {
        if begin >= done {
            special_up_to(&mut pieces, done, begin);
            pieces.push(Piece { begin, end, special: 0 });
            done = end;
        }
    }
    special_up_to(&mut pieces, done, length);
    pieces
}

/// Every token that occurs in one of the strings counts as text wherever it stands.
fn without_tokens_of<'a>(
    control: &ControlTokens,
    text: &str,
    strings: impl Iterator<Item = &'a CallerString<'a>>,
) -> Vec<Piece> {
    let refused: HashSet<&str> = strings
        .flat_map(|s| control.find_all(s.text).into_iter().map(|(begin, end)| &s.text[begin..end]))
        .collect();
    let texts =
        control.find_all(text).into_iter().filter(|&(begin, end)| refused.contains(&text[begin..end]));
    cut_into_pieces(text.len(), Vec::new(), texts.collect())
}

/// What is text in either is text.
fn overlay(a: Vec<Piece>, b: &[Piece]) -> Vec<Piece> {
    let length = a.last().map_or(0, |piece| piece.end);
    let cuts = a.iter().map(|piece| piece.begin).collect();
    let mut texts: Vec<(usize, usize)> =
        a.iter().chain(b).filter(|piece| piece.special == 0).map(|piece| (piece.begin, piece.end)).collect();
    texts.sort();
    cut_into_pieces(length, cuts, texts)
}
