//! The ssh-agent: it has the private key and signs, as draft-miller-ssh-agent says.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use ssh_key::{HashAlg, PublicKey, Signature, SshSig};

use crate::cli::CommandError;
use crate::plan::approval::NAMESPACE;

const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// A signature is a hundred bytes; whoever answers more is no agent.
const ANSWER_MAX: u32 = 16 * 1024;
/// Some agents ask a person first.
const PATIENCE: Duration = Duration::from_mins(2);

pub(super) fn sign(key: &PublicKey, said: &[u8]) -> Result<SshSig, CommandError> {
    let Some(socket) = std::env::var_os("SSH_AUTH_SOCK").filter(|name| !name.is_empty()) else {
        return Err(CommandError::usage(
            "this is a public key, and no ssh-agent is running that could sign with it\nname the private key, or start an agent and `ssh-add` it",
        ));
    };
    let failed = |source| CommandError::failed("asking the ssh-agent", source);
    let wrong = |error: ssh_key::Error| failed(io::Error::other(error));
    let data = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, said).map_err(wrong)?;
    let blob = key.to_bytes().map_err(wrong)?;
    let mut stream = UnixStream::connect(socket).map_err(failed)?;
    let answer = ask(&mut stream, &blob, &data).map_err(failed)?;
    let Some(signature) = answer else {
        return Err(CommandError::usage(
            "the ssh-agent does not sign with this key\n`ssh-add -l` lists what it has",
        ));
    };
    let signature = Signature::try_from(signature.as_slice()).map_err(wrong)?;
    SshSig::new(key.key_data().clone(), NAMESPACE, HashAlg::Sha512, signature).map_err(wrong)
}

/// The signature, if the agent makes one.
fn ask(stream: &mut UnixStream, key: &[u8], data: &[u8]) -> io::Result<Option<Vec<u8>>> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut request = vec![SIGN_REQUEST];
    for text in [key, data] {
        request.extend(length(text)?);
        request.extend(text);
    }
    request.extend(0_u32.to_be_bytes());
    stream.write_all(&length(&request)?)?;
    stream.write_all(&request)?;
    let answer = read_text(stream)?;
    match answer.split_first() {
        Some((&SIGN_RESPONSE, mut rest)) => read_text(&mut rest).map(Some),
        _ => Ok(None),
    }
}

fn length(text: &[u8]) -> io::Result<[u8; 4]> {
    u32::try_from(text.len()).map(u32::to_be_bytes).map_err(io::Error::other)
}

/// Bytes behind their length.
fn read_text(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > ANSWER_MAX {
        return Err(io::Error::other("the answer is too long"));
    }
    let mut text = Vec::new();
    from.take(length.into()).read_to_end(&mut text)?;
    if u32::try_from(text.len()) == Ok(length) {
        Ok(text)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
