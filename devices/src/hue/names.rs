//! The identifier under which a light of a hub is offered: made from its name when it is first seen, and kept from then on,
//! so that a renamed light keeps its topics.

use super::resource::Kind;
use luxwire_shared::model::LightId;

/// What every identifier begins with, so that lights of hubs are told from others.
const PREFIX: &str = "hue-";
/// Short enough that a number may follow.
const LEN_MAX: usize = 48;

/// An identifier that is not taken yet: ASCII letters, digits and hyphens.
pub(super) fn assign(name: &str, kind: Kind, is_taken: impl Fn(&LightId) -> bool) -> LightId {
    let slug = match slug(name) {
        slug if slug.is_empty() => default_slug(kind).to_owned(),
        slug => slug,
    };
    let kind_suffix = kind.is_group().then(|| format!("{slug}-{}", default_slug(kind)));
    let numbered = (2_u32..).map(|number| format!("{slug}-{number}"));
    [slug.clone()]
        .into_iter()
        .chain(kind_suffix)
        .chain(numbered)
        .map(|text| LightId::try_from(format!("{PREFIX}{text}").as_str()).expect("ASCII, and short"))
        .find(|id| !is_taken(id))
        .expect("numbers do not run out")
}

const fn default_slug(kind: Kind) -> &'static str {
    match kind {
        Kind::Light => "light",
        Kind::Room => "room",
        Kind::Zone => "zone",
    }
}

/// Lower case, words joined by hyphens, letters of Latin alphabets without their marks.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    let mut gap = false;
    for char in name.chars().flat_map(char::to_lowercase) {
        let plain = plain(char);
        if plain.is_empty() {
            gap = true;
            continue;
        }
        if slug.len() + plain.len() + 1 > LEN_MAX {
            break;
        }
        if std::mem::take(&mut gap) && !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(plain);
    }
    slug
}

fn plain(char: char) -> &'static str {
    const ASCII: &str = "0123456789abcdefghijklmnopqrstuvwxyz";
    if let Some(at) = ASCII.find(char) {
        return &ASCII[at..=at];
    }
    match char {
        'ä' | 'æ' => "ae",
        'ö' | 'ø' | 'œ' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ő' => "o",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ť' | 'ţ' | 'ț' => "t",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_made_of_names() {
        for (name, id) in [
            ("Hue Lamp 1", "hue-hue-lamp-1"),
            ("  Küche / Fenster  ", "hue-kueche-fenster"),
            ("Éclairage", "hue-eclairage"),
            ("台所", "hue-light"),
            ("a+#/\u{0}b", "hue-a-b"),
        ] {
            assert_eq!(assign(name, Kind::Light, |_| false).as_str(), id);
        }
        assert!(assign(&"x".repeat(500), Kind::Light, |_| false).as_str().len() <= 60);
    }

    #[test]
    fn no_two_lights_share_one() {
        let mut taken: Vec<LightId> = Vec::new();
        for (kind, id) in [
            (Kind::Light, "hue-kitchen"),
            (Kind::Room, "hue-kitchen-room"),
            (Kind::Light, "hue-kitchen-2"),
            (Kind::Room, "hue-kitchen-3"),
        ] {
            let next = assign("Kitchen", kind, |id| taken.contains(id));
            assert_eq!(next.as_str(), id);
            taken.push(next);
        }
    }
}
