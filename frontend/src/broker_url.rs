//! Where the broker is: which address the page connects to, and whether that broker is our own.
//!
//! Pure: what the browser knows comes in as text.

/// The broker that the page talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BrokerUrl {
    /// A `ws:` or `wss:` address.
    pub(crate) url: String,
    /// Whether the server that the page came from answers for this broker, so that its HTTP API may be asked.
    pub(crate) is_ours: bool,
}

impl BrokerUrl {
    /// Chooses: what the address bar asks for (`?broker=`), else what the page was told (`<meta name="luxwire-broker">`),
    /// else `/mqtt` on the server that the page came from.
    pub(crate) fn choose(asked: Option<String>, told: Option<String>, protocol: &str, host: &str) -> Self {
        if let Some(url) = asked.filter(|url| !url.is_empty()) {
            return Self { url, is_ours: false };
        }
        if let Some(url) = told.filter(|url| !url.is_empty()) {
            return Self { url, is_ours: true };
        }
        let scheme = if protocol == "https:" { "wss" } else { "ws" };
        Self { url: format!("{scheme}://{host}/mqtt"), is_ours: true }
    }
}

#[cfg(test)]
mod tests {
    use super::BrokerUrl;

    fn check(asked: &str, told: &str, protocol: &str, url: &str, is_ours: bool) {
        let chosen = BrokerUrl::choose(Some(asked.into()), Some(told.into()), protocol, "home:8080");
        assert_eq!(chosen, BrokerUrl { url: url.into(), is_ours });
    }

    #[test]
    fn the_server_that_the_page_came_from_is_the_broker() {
        check("", "", "http:", "ws://home:8080/mqtt", true);
        assert_eq!(BrokerUrl::choose(None, None, "http:", "home").url, "ws://home/mqtt");
    }

    #[test]
    fn a_secure_page_connects_securely() {
        check("", "", "https:", "wss://home:8080/mqtt", true);
    }

    #[test]
    fn the_page_may_be_told_of_another_address_of_ours() {
        check("", "ws://127.0.0.1:8080/mqtt", "http:", "ws://127.0.0.1:8080/mqtt", true);
    }

    #[test]
    fn the_address_bar_has_the_last_word_and_names_a_stranger() {
        check("ws://other:9001/", "ws://127.0.0.1:8080/mqtt", "http:", "ws://other:9001/", false);
    }
}
