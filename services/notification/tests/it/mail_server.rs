//! A mail server that speaks just enough SMTP, and does with messages what it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// Gone when dropped.
pub(crate) struct MailServer {
    address: SocketAddr,
    mailbox: Arc<Mutex<Letters>>,
    stop: CancellationToken,
}

/// What the server has seen, and what it still has to do.
#[derive(Default)]
struct Letters {
    taken: Vec<Taken>,
    /// How many messages it takes before it says so again: the connection ends first.
    answers_to_lose: usize,
    connections: usize,
}

/// A message as it came.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    /// Head and body, lines ended by `\n`.
    pub(crate) text: String,
}

impl Taken {
    pub(crate) fn header(&self, name: &str) -> &str {
        let head = self.text.split("\n\n").next().unwrap();
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {head}"))
    }

    pub(crate) fn body(&self) -> &str {
        self.text.split_once("\n\n").unwrap().1
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl MailServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
        let letters = Arc::new(Mutex::new(Letters::default()));
        let (mailbox, stopped) = (Arc::clone(&letters), stop.clone());
        tokio::spawn(stopped.run_until_cancelled_owned(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                letters.lock().unwrap().connections += 1;
                // A client that goes away ends its conversation.
                tokio::spawn(converse(stream, Arc::clone(&letters)));
            }
        }));
        Self { address, mailbox, stop }
    }

    pub(crate) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// Takes the next `count` messages without saying so.
    pub(crate) fn lose_answers(&self, count: usize) {
        self.mailbox.lock().unwrap().answers_to_lose = count;
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.mailbox.lock().unwrap().taken.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.mailbox.lock().unwrap().connections
    }
}

/// One conversation. Recipients at `nowhere.example` do not exist, those at `later.example` never can be reached now.
async fn converse(stream: TcpStream, letters: Arc<Mutex<Letters>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 ready\r\n").await?;
    let (mut from, mut to) = (String::new(), Vec::new());
    while let Some(line) = next_line(&mut stream).await? {
        let answer = match line.split(['<', '>']).collect::<Vec<_>>()[..] {
            [verb, ..] if verb.starts_with("EHLO") => "250 hello",
            ["MAIL FROM:", sender, ..] => {
                from = sender.to_owned();
                "250 fine"
            }
            ["RCPT TO:", recipient, ..] if recipient.ends_with("@nowhere.example") => "550 nobody by that name",
            ["RCPT TO:", recipient, ..] if recipient.ends_with("@later.example") => "451 come back later",
            ["RCPT TO:", recipient, ..] => {
                to.push(recipient.to_owned());
                "250 fine"
            }
            ["DATA"] => {
                stream.write_all(b"354 go ahead\r\n").await?;
                let text = read_text(&mut stream).await?;
                let mut letters = letters.lock().unwrap();
                letters.taken.push(Taken { from: from.clone(), to: std::mem::take(&mut to), text });
                if letters.answers_to_lose > 0 {
                    letters.answers_to_lose -= 1;
                    return Ok(());
                }
                "250 taken"
            }
            ["RSET"] => "250 fine",
            ["QUIT"] => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(());
            }
            _ => "500 what?",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
    Ok(())
}

async fn next_line(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await?;
    Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
}

/// Reads up to the line that is a single dot, and takes the dots away that others were doubled with.
async fn read_text(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    while let Some(line) = next_line(stream).await?.filter(|line| line != ".") {
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
        text.push('\n');
    }
    Ok(text)
}
