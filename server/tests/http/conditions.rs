//! ETag, Last-Modified and the conditions that clients make of them.

use crate::{
    ask, check_problem, delete, get, put,
    support::{Answer, Client, Server, eventually},
};
use luxwire_shared::mqtt::{QoS, Version};
use std::{sync::Arc, thread};

const PATH: &str = "/api/v1/topics/a";

fn get_if(server: &Server, headers: &[(&str, &str)]) -> Answer {
    ask(server, "GET", PATH, headers, b"")
}

fn put_if(server: &Server, header: &str, value: &str) -> u16 {
    ask(server, "PUT", PATH, &[(header, value)], b"new").status
}

#[test]
fn a_value_that_is_known_is_not_sent_again() {
    let server = Server::start();
    put(&server, "a", "40");
    let first = get(&server, "a");
    let (tag, modified) = (first.header("etag").unwrap(), first.header("last-modified").unwrap());
    assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag} is strong");
    for known in [tag.to_owned(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let answer = get_if(&server, &[("If-None-Match", &known)]);
        assert_eq!((answer.status, answer.body.as_slice()), (304, &b""[..]), "{known}");
        assert_eq!((answer.header("etag"), answer.header("last-modified")), (Some(tag), Some(modified)));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        let policy = "content-security-policy";
        assert_eq!(answer.header(policy), first.header(policy), "a cache takes it over");
    }
    // The tag decides, whatever the date says.
    let both = [("If-None-Match", "\"x\""), ("If-Modified-Since", modified)];
    assert_eq!(get_if(&server, &both).status, 200);
    put(&server, "a", "40");
    assert_eq!(get_if(&server, &[("If-None-Match", tag)]).status, 200, "the same value, set again");
    assert_eq!(ask(&server, "HEAD", PATH, &[("If-None-Match", "*")], b"").status, 304);
}

#[test]
fn a_date_says_only_what_is_certain() {
    let server = Server::start();
    put(&server, "a", "1");
    // A date in whole seconds tells two values of one second from each other only if it is not asked to.
    let mut client = Client::connected(server.mqtt, Version::V5, "setter");
    let mut last = None;
    for count in 0..200 {
        client.publish("a", count.to_string(), QoS::AtLeastOnce, true);
        let answer = get(&server, "a");
        let modified = answer.header("last-modified").unwrap().to_owned();
        if last.as_ref() == Some(&modified) {
            let again = get_if(&server, &[("If-Modified-Since", &modified)]);
            assert_eq!(
                (again.status, again.text()),
                (200, count.to_string().as_str()),
                "{modified} had two values"
            );
        }
        last = Some(modified);
    }
    delete(&server, "a");
    // One that has its second to itself.
    let answer = eventually("a second with one value", || {
        put(&server, "b", "1");
        let answer = ask(&server, "GET", "/api/v1/topics/b", &[], b"");
        let modified = answer.header("last-modified").unwrap();
        let known = ask(&server, "GET", "/api/v1/topics/b", &[("If-Modified-Since", modified)], b"");
        let is_alone = known.status == 304;
        if !is_alone {
            delete(&server, "b");
        }
        is_alone.then_some(answer)
    });
    let earlier = [("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT")];
    assert_eq!(ask(&server, "GET", "/api/v1/topics/b", &earlier, b"").status, 200);
    let modified = answer.header("last-modified").unwrap();
    put(&server, "b", "2");
    let since = [("If-Modified-Since", modified)];
    let again = ask(&server, "GET", "/api/v1/topics/b", &since, b"");
    assert_eq!((again.status, again.text()), (200, "2"));
}

#[test]
fn writes_happen_only_if_the_value_is_the_one_that_was_seen() {
    let server = Server::start();
    assert_eq!(put_if(&server, "If-Match", "*"), 412, "there is none");
    assert_eq!(put_if(&server, "If-None-Match", "*"), 201);
    assert_eq!(put_if(&server, "If-None-Match", "*"), 412, "there is one");
    let tag = get(&server, "a").header("etag").unwrap().to_owned();
    assert_eq!(put_if(&server, "If-None-Match", &tag), 412);
    assert_eq!(put_if(&server, "If-Match", &format!("W/{tag}")), 412, "weak tags say less");
    assert_eq!(put_if(&server, "If-Match", "\"1-1\""), 412);
    assert_eq!(put_if(&server, "If-Match", &format!("\"x\", {tag}")), 204);
    assert_eq!(put_if(&server, "If-Match", &tag), 412, "it is another value now");
    assert_eq!(put_if(&server, "If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:37 GMT"), 412);
    let delete_if = |header: &str, value: &str| ask(&server, "DELETE", PATH, &[(header, value)], b"");
    check_problem(&delete_if("If-Match", &tag), 412, "If-Match");
    let tag = get(&server, "a").header("etag").unwrap().to_owned();
    check_problem(&get_if(&server, &[("If-Match", "\"1-1\"")]), 412, "If-Match");
    assert_eq!(get_if(&server, &[("If-Match", &tag)]).status, 200);
    assert_eq!(delete_if("If-Match", &tag).status, 204);
    check_problem(&delete_if("If-Match", &tag), 412, "If-Match");
}

/// Each of several writers counts up from what it saw; no count is lost.
#[test]
fn no_update_is_lost_among_writers_that_use_tags() {
    const WRITERS: usize = 4;
    const EACH: usize = 10;
    let server = Arc::new(Server::start());
    put(&server, "a", "0");
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let server = Arc::clone(&server);
            thread::spawn(move || {
                let mut done = 0;
                while done < EACH {
                    let seen = get(&server, "a");
                    let next = (seen.text().parse::<usize>().unwrap() + 1).to_string();
                    let tag = [("If-Match", seen.header("etag").unwrap())];
                    match ask(&server, "PUT", PATH, &tag, next.as_bytes()).status {
                        204 => done += 1,
                        412 => {}
                        status => panic!("{status}"),
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    assert_eq!(get(&server, "a").text(), (WRITERS * EACH).to_string());
}

#[test]
fn a_list_that_is_known_is_not_sent_again() {
    let server = Server::start();
    put(&server, "a", "1");
    let list = |headers: &[(&str, &str)]| ask(&server, "GET", "/api/v1/topics", headers, b"");
    let tag = list(&[]).header("etag").unwrap().to_owned();
    assert_eq!(list(&[("If-None-Match", &tag)]).status, 304);
    let changes: [fn(&Server) -> Answer; 3] =
        [|server| put(server, "a", "1"), |server| put(server, "b", "1"), |server| delete(server, "b")];
    for change in changes {
        let before = list(&[]).header("etag").unwrap().to_owned();
        change(&server);
        assert_eq!(list(&[("If-None-Match", &before)]).status, 200);
    }
}
