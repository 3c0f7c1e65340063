//! The sites that are known by name: where they are and how they are asked, by the sites' own
//! documentation. `oidc`, `oidc2` and `oidc3` are whatever OpenID provider the administrator names.

/// A site whose accounts may sign in here.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) name: &'static str,
    pub(crate) display_name: &'static str,
    /// Where people sign in.
    pub(crate) auth_url: &'static str,
    /// Where codes become tokens.
    pub(crate) token_url: &'static str,
    /// Where an account is described.
    pub(crate) user_url: &'static str,
    pub(crate) scopes: &'static [&'static str],
    /// Whether the site understands PKCE (RFC 7636).
    pub(crate) pkce: bool,
    pub(crate) reading: Reading,
}

/// How an account is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// With `GET`.
    Get,
    /// With this GraphQL query.
    GraphQl(&'static str),
    /// It stands in the identity token alone.
    IdToken,
}

const fn site(
    (name, display_name): (&'static str, &'static str),
    [auth_url, token_url, user_url]: [&'static str; 3],
    scopes: &'static [&'static str],
) -> Site {
    Site {
        name,
        display_name,
        auth_url,
        token_url,
        user_url,
        scopes,
        pkce: true,
        reading: Reading::Get,
    }
}

impl Site {
    const fn without_pkce(mut self) -> Self {
        self.pkce = false;
        self
    }

    const fn read_by(mut self, reading: Reading) -> Self {
        self.reading = reading;
        self
    }

    /// Whether it is an OpenID provider that the administrator names.
    pub(crate) fn is_oidc(&self) -> bool {
        self.name.starts_with("oidc")
    }
}

/// The site of that name.
pub(crate) fn find(name: &str) -> Option<&'static Site> {
    SITES.iter().find(|site| site.name == name)
}

const OIDC: &[&str] = &["openid", "email", "profile"];
const NOWHERE: [&str; 3] = ["", "", ""];

/// All of them, in the order in which they are shown.
pub(crate) const SITES: [Site; 32] = [
    site(
        ("apple", "Apple"),
        [
            "https://appleid.apple.com/auth/authorize",
            "https://appleid.apple.com/auth/token",
            "",
        ],
        &["name", "email"],
    )
    .read_by(Reading::IdToken),
    site(
        ("google", "Google"),
        [
            "https://accounts.google.com/o/oauth2/v2/auth",
            "https://oauth2.googleapis.com/token",
            "https://www.googleapis.com/oauth2/v3/userinfo",
        ],
        &[
            "https://www.googleapis.com/auth/userinfo.profile",
            "https://www.googleapis.com/auth/userinfo.email",
        ],
    ),
    site(
        ("microsoft", "Microsoft"),
        [
            "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
            "https://login.microsoftonline.com/common/oauth2/v2.0/token",
            "https://graph.microsoft.com/v1.0/me",
        ],
        &["User.Read"],
    ),
    site(
        ("yandex", "Yandex"),
        [
            "https://oauth.yandex.com/authorize",
            "https://oauth.yandex.com/token",
            "https://login.yandex.ru/info",
        ],
        &["login:email", "login:avatar", "login:info"],
    ),
    site(
        ("facebook", "Facebook"),
        [
            "https://www.facebook.com/v3.2/dialog/oauth",
            "https://graph.facebook.com/v3.2/oauth/access_token",
            "https://graph.facebook.com/me?fields=name,email,picture.type(large)",
        ],
        &["email"],
    ),
    site(
        ("instagram2", "Instagram"),
        [
            "https://www.instagram.com/oauth/authorize",
            "https://api.instagram.com/oauth/access_token",
            "https://graph.instagram.com/me?fields=id,username,account_type,user_id,name,\
             profile_picture_url,followers_count,follows_count,media_count",
        ],
        &["instagram_business_basic"],
    ),
    site(
        ("github", "GitHub"),
        [
            "https://github.com/login/oauth/authorize",
            "https://github.com/login/oauth/access_token",
            "https://api.github.com/user",
        ],
        &["read:user", "user:email"],
    ),
    site(
        ("gitlab", "GitLab"),
        [
            "https://gitlab.com/oauth/authorize",
            "https://gitlab.com/oauth/token",
            "https://gitlab.com/api/v4/user",
        ],
        &["read_user"],
    ),
    site(
        ("bitbucket", "Bitbucket"),
        [
            "https://bitbucket.org/site/oauth2/authorize",
            "https://bitbucket.org/site/oauth2/access_token",
            "https://api.bitbucket.org/2.0/user",
        ],
        &["account"],
    )
    .without_pkce(),
    site(
        ("gitee", "Gitee"),
        [
            "https://gitee.com/oauth/authorize",
            "https://gitee.com/oauth/token",
            "https://gitee.com/api/v5/user",
        ],
        &["user_info", "emails"],
    ),
    site(
        ("gitea", "Gitea/Forgejo"),
        [
            "https://gitea.com/login/oauth/authorize",
            "https://gitea.com/login/oauth/access_token",
            "https://gitea.com/api/v1/user",
        ],
        &["read:user", "user:email"],
    ),
    site(
        ("discord", "Discord"),
        [
            "https://discord.com/api/oauth2/authorize",
            "https://discord.com/api/oauth2/token",
            "https://discord.com/api/users/@me",
        ],
        &["identify", "email"],
    ),
    site(
        ("twitter", "X/Twitter"),
        [
            "https://x.com/i/oauth2/authorize",
            "https://api.x.com/2/oauth2/token",
            "https://api.x.com/2/users/me?user.fields=id,name,username,profile_image_url,\
             confirmed_email",
        ],
        &["users.read", "users.email", "tweet.read"],
    ),
    site(
        ("kakao", "Kakao"),
        [
            "https://kauth.kakao.com/oauth/authorize",
            "https://kauth.kakao.com/oauth/token",
            "https://kapi.kakao.com/v2/user/me",
        ],
        &["account_email", "profile_nickname", "profile_image"],
    ),
    site(
        ("vk", "ВКонтакте"),
        [
            "https://oauth.vk.com/authorize",
            "https://oauth.vk.com/access_token",
            "https://api.vk.com/method/users.get?fields=photo_max,screen_name&v=5.131",
        ],
        &["email"],
    )
    .without_pkce(),
    site(
        ("linear", "Linear"),
        [
            "https://linear.app/oauth/authorize",
            "https://api.linear.app/oauth/token",
            "https://api.linear.app/graphql",
        ],
        &["read"],
    )
    .without_pkce()
    .read_by(Reading::GraphQl(
        "{ viewer { id displayName name email avatarUrl active } }",
    )),
    site(
        ("notion", "Notion"),
        [
            "https://api.notion.com/v1/oauth/authorize",
            "https://api.notion.com/v1/oauth/token",
            "https://api.notion.com/v1/users/me",
        ],
        &[],
    ),
    site(
        ("monday", "monday.com"),
        [
            "https://auth.monday.com/oauth2/authorize",
            "https://auth.monday.com/oauth2/token",
            "https://api.monday.com/v2",
        ],
        &["me:read"],
    )
    .read_by(Reading::GraphQl(
        "{ me { id enabled name email is_verified photo_small } }",
    )),
    site(
        ("lark", "Lark"),
        [
            "https://accounts.feishu.cn/open-apis/authen/v1/authorize",
            "https://open.feishu.cn/open-apis/authen/v2/oauth/token",
            "https://open.feishu.cn/open-apis/authen/v1/user_info",
        ],
        &[],
    ),
    site(
        ("box", "Box"),
        [
            "https://account.box.com/api/oauth2/authorize",
            "https://api.box.com/oauth2/token",
            "https://api.box.com/2.0/users/me",
        ],
        &["root_readonly"],
    ),
    site(
        ("spotify", "Spotify"),
        [
            "https://accounts.spotify.com/authorize",
            "https://accounts.spotify.com/api/token",
            "https://api.spotify.com/v1/me",
        ],
        &["user-read-private"],
    ),
    site(
        ("trakt", "Trakt"),
        [
            "https://trakt.tv/oauth/authorize",
            "https://api.trakt.tv/oauth/token",
            "https://api.trakt.tv/users/settings",
        ],
        &[],
    ),
    site(
        ("twitch", "Twitch"),
        [
            "https://id.twitch.tv/oauth2/authorize",
            "https://id.twitch.tv/oauth2/token",
            "https://api.twitch.tv/helix/users",
        ],
        &["user:read:email"],
    ),
    site(
        ("patreon", "Patreon"),
        [
            "https://www.patreon.com/oauth2/authorize",
            "https://www.patreon.com/api/oauth2/token",
            "https://www.patreon.com/api/oauth2/v2/identity?fields%5Buser%5D=full_name,email,\
             vanity,image_url,is_email_verified",
        ],
        &["identity", "identity[email]"],
    ),
    site(
        ("strava", "Strava"),
        [
            "https://www.strava.com/oauth/authorize",
            "https://www.strava.com/api/v3/oauth/token",
            "https://www.strava.com/api/v3/athlete",
        ],
        &["profile:read_all"],
    ),
    site(
        ("wakatime", "WakaTime"),
        [
            "https://wakatime.com/oauth/authorize",
            "https://wakatime.com/oauth/token",
            "https://wakatime.com/api/v1/users/current",
        ],
        &["email"],
    ),
    site(
        ("livechat", "LiveChat"),
        [
            "https://accounts.livechat.com/",
            "https://accounts.livechat.com/token",
            "https://accounts.livechat.com/v2/accounts/me",
        ],
        &[],
    ),
    site(("mailcow", "mailcow"), NOWHERE, &["profile"]),
    site(
        ("planningcenter", "Planning Center"),
        [
            "https://api.planningcenteronline.com/oauth/authorize",
            "https://api.planningcenteronline.com/oauth/token",
            "https://api.planningcenteronline.com/people/v2/me",
        ],
        &["people"],
    ),
    site(("oidc", "OIDC"), NOWHERE, OIDC),
    site(("oidc2", "OIDC"), NOWHERE, OIDC),
    site(("oidc3", "OIDC"), NOWHERE, OIDC),
];
