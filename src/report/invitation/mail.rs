//! A message as a file that mail programs open (RFC 5322).

use std::io;

use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::address::Address;
use mail_builder::headers::raw::Raw;

use super::{Mailbox, Message};

/// Writes it. `X-Unsent` is what makes Outlook open it as a draft instead of as received mail.
pub(super) fn write(message: &Message, date: Timestamp) -> io::Result<Vec<u8>> {
    let mut mail = MessageBuilder::new()
        .from(address(&message.from))
        .subject(message.subject.as_str())
        .date(date.as_second())
        .message_id(message.message_id.as_str())
        .header("Content-Language", Raw::new(message.language.tag()))
        .header("X-Unsent", Raw::new("1"))
        // Encoded as it is, it has the line ends that mail asks for.
        .text_body(message.body.replace('\n', "\r\n"));
    if !message.to.is_empty() {
        mail = mail.to(Address::new_list(message.to.iter().map(address).collect()));
    }
    mail.write_to_vec()
}

fn address(mailbox: &Mailbox) -> Address<'_> {
    Address::new_address(mailbox.name.as_deref(), mailbox.address.as_str())
}
