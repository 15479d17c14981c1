//! The program behind sshd, looked at in kitty, over a line that is fast, slow, or cut.

use crate::kitty::Kitty;
use crate::link::Link;
use crate::study::{Home, SLICES};
use crate::tools::{find, turn};
use crate::wait::until;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const NEEDED: [&str; 5] = ["kitty", "Xvfb", "sshd", "ssh", "ssh-keygen"];

/// sshd for the one who runs the test, with keys of its own.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(folder: &Path) -> Self {
        for key in ["host", "user"] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.join(key))
                .stdin(Stdio::null())
                .status();
            assert!(made.expect("ssh-keygen runs").success());
        }
        // Where root runs it, sshd wants the folder that its package makes at boot.
        let _ = std::fs::create_dir_all("/run/sshd");
        let port = TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).expect("a port").port();
        let at = |name: &str| folder.join(name).display().to_string();
        let settings = [
            format!("ListenAddress 127.0.0.1:{port}"),
            format!("HostKey {}", at("host")),
            format!("AuthorizedKeysFile {}", at("user.pub")),
            "UsePAM no\nStrictModes no\nPidFile none\nPasswordAuthentication no".to_owned(),
            "PermitRootLogin prohibit-password\nPrintMotd no\nPrintLastLog no".to_owned(),
        ];
        std::fs::write(folder.join("sshd"), settings.join("\n") + "\n").expect("written");
        let log = std::fs::File::create(folder.join("sshd.log")).expect("a log");
        let process = Command::new(find("sshd").expect("sshd"))
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("sshd starts");
        let log = || std::fs::read_to_string(folder.join("sshd.log")).unwrap_or_default();
        until("sshd", || log().contains("Server listening").then_some(()), log);
        Self { process, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The study open over a line, in kitty.
struct Remote {
    kitty: Kitty,
    link: Link,
    home: Home,
    _server: Server,
}

impl Remote {
    fn open(bytes_per_second: Option<u32>, options: &str) -> Self {
        let home = Home::new();
        let server = Server::start(home.path());
        let link = Link::to(server.port, bytes_per_second);
        let folder = home.path().display();
        let library = std::env::var("ORT_DYLIB_PATH").map(|path| format!("ORT_DYLIB_PATH={path}")).unwrap_or_default();
        let program = env!("CARGO_BIN_EXE_cspine");
        let there =
            format!("cd {folder}; echo $$ > program; exec env HOME={folder} {library} {program} studies {options}");
        let script = format!(
            "exec ssh -tt -F none -p {} -i user -o IdentitiesOnly=yes -o StrictHostKeyChecking=no \
             -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR {}@127.0.0.1 '{there}'\n",
            link.port(),
            whoami::username().expect("a name"),
        );
        std::fs::write(home.path().join("connect"), script).expect("written");
        let kitty = Kitty::start(home.path(), 960, 720);
        kitty.press("sh connect\r");
        kitty.wait_for("the list", |text| text.contains("not analyzed"));
        kitty.press("\r");
        kitty.wait_for("the whole series", |text| text.contains("axial · 11 / 20"));
        Self { kitty, link, home, _server: server }
    }
}

#[test]
fn over_ssh_pictures_are_exact_and_the_end_is_clean() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let Remote { kitty, home, link: _link, _server } = Remote::open(None, "");
    kitty.wait_for_slice("the first image over ssh", &home, 11);
    kitty.press("j");
    kitty.wait_for_slice("the next slice over ssh", &home, 12);
    kitty.press("qq");
    kitty.wait_for("the shell", |text| text.trim_end().ends_with(crate::shell::PROMPT.trim_end()));
}

#[test]
fn a_held_key_on_a_slow_line_ends_on_the_right_slice_exactly() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let Remote { kitty, home, link: _link, _server } = Remote::open(Some(200_000), "");
    kitty.press("g");
    kitty.wait_for_slice("the first slice", &home, 1);
    for _ in 1..SLICES {
        kitty.press("j");
        // As fast as a keyboard repeats.
        std::thread::sleep(Duration::from_millis(33));
    }
    kitty.wait_for_slice("the last slice", &home, SLICES);
}

#[test]
fn a_line_cut_in_the_middle_of_a_picture_loses_no_decision() {
    let Some(_turn) = turn(&NEEDED) else { return };
    let Remote { kitty, home, link, _server } = Remote::open(Some(40_000), "--bandwidth 40K");
    kitty.type_line(("W", "note: "), "seen-before.");
    kitty.wait_for("the note, kept", |text| {
        text.lines().any(|line| line.contains("note: seen-before.") && !line.contains("saving"))
    });
    let program = std::fs::read_to_string(home.path().join("program")).expect("a process");
    let process = Path::new("/proc").join(program.trim());
    assert!(process.exists(), "the program runs");
    // A slice that is not stored: its picture takes seconds.
    kitty.press("g");
    kitty.wait_for("the first slice's number", |text| text.contains("axial · 1 / 20"));
    let before = link.carried();
    until("some of the image", || (link.carried() > before + 20_000).then_some(()), || kitty.text());
    link.cut();
    until("the program's end", || (!process.exists()).then_some(()), || "it still runs".to_owned());
    let report = Command::new(env!("CARGO_BIN_EXE_cspine"))
        .args(["report", "--format", "json", "studies"])
        .env("HOME", home.path())
        .current_dir(home.path())
        .output()
        .expect("the program runs");
    let report = String::from_utf8(report.stdout).expect("UTF-8");
    assert!(report.contains("seen-before."), "{report}");
}
