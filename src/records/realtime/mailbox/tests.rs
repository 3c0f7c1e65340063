//! Cases for `mailbox`.

use super::*;

fn mailbox() -> Mailbox {
    Mailbox::new(Bytes::from_static(b"id:a\n"))
}

fn take(mailbox: &Mailbox) -> Option<String> {
    match mailbox.poll_take(&Context::from_waker(Waker::noop())) {
        Poll::Ready(Some(bytes)) => Some(String::from_utf8(bytes.to_vec()).unwrap()),
        Poll::Ready(None) => Some("end".to_owned()),
        Poll::Pending => None,
    }
}

#[test]
fn messages_come_in_order_and_together_each_after_the_prefix() {
    let mailbox = mailbox();
    assert_eq!(take(&mailbox), None);
    for message in ["one\n", "two\n"] {
        assert_eq!(mailbox.post(Bytes::from(message)), Posted::Kept);
    }
    mailbox.keep_alive();
    assert_eq!(take(&mailbox).as_deref(), Some("id:a\none\nid:a\ntwo\n"));
    mailbox.keep_alive();
    assert_eq!(take(&mailbox).as_deref(), Some(":\n\n"));
    assert_eq!(mailbox.lock().bytes, 0);
    mailbox.post(Bytes::from("last\n"));
    mailbox.close();
    assert_eq!(take(&mailbox).as_deref(), Some("id:a\nlast\n"));
    assert_eq!(take(&mailbox).as_deref(), Some("end"));
    assert_eq!(mailbox.post(Bytes::from("late\n")), Posted::Closed);
}

#[test]
fn a_mailbox_that_runs_over_is_emptied_and_closed() {
    let check = |size: usize, fits: usize| {
        let mailbox = mailbox();
        let message = Bytes::from(vec![b'x'; size]);
        for _ in 0..fits {
            assert_eq!(mailbox.post(message.clone()), Posted::Kept, "{size}");
        }
        assert_eq!(mailbox.post(message.clone()), Posted::RanOver, "{size}");
        assert_eq!(mailbox.post(message), Posted::Closed, "{size}");
        assert_eq!(take(&mailbox).as_deref(), Some("end"), "{size}");
    };
    check(10, MAX_MESSAGES);
    check(MAX_BYTES / 4 - 5, 4);
    // One that is larger than a mailbox goes through alone.
    check(MAX_BYTES * 2, 1);
}

#[test]
fn much_is_taken_in_pieces() {
    let mailbox = mailbox();
    for _ in 0..3 {
        mailbox.post(Bytes::from(vec![b'x'; TAKEN_BYTES / 2]));
    }
    let lengths: Vec<usize> = std::iter::from_fn(|| take(&mailbox).map(|text| text.len()))
        .take(3)
        .collect();
    assert_eq!(lengths, vec![TAKEN_BYTES / 2 + 5; 3]);
    assert_eq!(take(&mailbox), None);
}
